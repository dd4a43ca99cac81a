// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// sampled_scores, given_scores, compressed_scores: docs/spec.md#sampled_scores, #given_scores, #compressed_scores.

// C2: stride.
tercet.spec @sampled_scores_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %stride = tercet.param stride = 6 : !tercet.static<i64>
  %mass = tercet.param mass = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C2: stride is 6; expected 2, 4, 8 or 16}}
  %scores = tercet.sampled_scores %q, %k blocks(%block, %block) stride(%stride)
  %classes = tercet.select %scores keep top_mass(%mass)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C2: table.
tercet.spec @given_scores_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %gate: !tercet.table<[batch, head], f32>) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C2: table is '!tercet.table<[batch, head], f32>'; expected an argument of type table<[batch, head, query_block, key_block], f32>}}
  %scores = tercet.given_scores %gate blocks(%block, %block) : !tercet.table<[batch, head], f32>
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C1: blocks.
tercet.spec @sampled_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 8 : !tercet.static<i64>
  %stride = tercet.param stride = 8 : !tercet.static<i64>
  %mass = tercet.param mass = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C1: block is 8; a block size is a multiple of 16 from 16 to 256}}
  %scores = tercet.sampled_scores %q, %k blocks(%block, %block) stride(%stride)
  %classes = tercet.select %scores keep top_mass(%mass)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

tercet.spec @given_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %gate: !tercet.table<[batch, head, query_block, key_block], f32>) {
  %block = tercet.param block = 8 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C1: block is 8; a block size is a multiple of 16 from 16 to 256}}
  %scores = tercet.given_scores %gate blocks(%block, %block) : !tercet.table<[batch, head, query_block, key_block], f32>
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// compressed_scores, docs/spec.md#compressed_scores. C1: blocks.
tercet.spec @compressed_scores_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 8 : !tercet.static<i64>
  %n = tercet.param n = 32 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C1: block is 8; a block size is a multiple of 16 from 16 to 256}}
  %scores = tercet.compressed_scores %q, %k blocks(%block, %block) pool(%n, %n)
  %classes = tercet.select %scores keep top_mass(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C2: sizes of pools.
tercet.spec @compressed_scores_c2_length(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %n = tercet.param n = 5000 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C2: n is 5000; expected 1 to 4096}}
  %scores = tercet.compressed_scores %q, %k blocks(%block, %block) pool(%n, %n)
  %classes = tercet.select %scores keep top_mass(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

tercet.spec @compressed_scores_c2_stride(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %n = tercet.param n = 16 : !tercet.static<i64>
  %step = tercet.param step = 17 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C2: step is 17, more than n, which is 16: tokens between pools would be lost}}
  %scores = tercet.compressed_scores %q, %k blocks(%block, %block) pool(%n, %step)
  %classes = tercet.select %scores keep top_mass(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C3: weights.
tercet.spec @compressed_scores_c3(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %a: !tercet.table<[head, any], f32>) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C3: weights is '!tercet.table<[head, any], f32>'; expected an argument of type table<[kv_head, any], f32>}}
  %scores = tercet.compressed_scores %q, %k blocks(%block, %block) pool(%block, %block) weights(%a : !tercet.table<[head, any], f32>)
  %classes = tercet.select %scores keep top_mass(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C4: scale.
tercet.spec @compressed_scores_c4(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %scale = tercet.param scale = 0.0 : !tercet.runtime<f64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C4: scale is 0; expected > 0}}
  %scores = tercet.compressed_scores %q, %k blocks(%block, %block) pool(%block, %block) scale(%scale)
  %classes = tercet.select %scores keep top_mass(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C5: where.
tercet.spec @compressed_scores_c5(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  // expected-error @+1 {{C5: the region gets ('index', 'index'); expected ('index', 'index', 'index', 'index')}}
  %scores = tercet.compressed_scores %q, %k blocks(%block, %block) pool(%block, %block) where {
  ^bb0(%i: index, %c: index):
    %sees = arith.cmpi sle, %c, %i : index
    tercet.yield %sees : i1
  }
  %classes = tercet.select %scores keep top_mass(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C6: ops of regions.
tercet.spec @compressed_scores_c6(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  %scores = tercet.compressed_scores %q, %k blocks(%block, %block) pool(%block, %block) where {
  ^bb0(%b: index, %h: index, %i: index, %c: index):
    // expected-error @+1 {{C6: is not an op of regions}}
    %x = arith.divui %i, %c : index
    %sees = arith.cmpi sle, %x, %i : index
    tercet.yield %sees : i1
  }
  %classes = tercet.select %scores keep top_mass(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}

// -----

// C7: no token order.
tercet.spec @compressed_scores_c7(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 16 : !tercet.static<i64>
  %side = tercet.param side = 4 : !tercet.static<i64>
  %width = tercet.param width = 8 : !tercet.runtime<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  // expected-note @+1 {{the token order is here}}
  tercet.token_order grid(%width, %width) tile(%side, %side)
  // expected-error @+1 {{C7: beside a token order, under which blocks are no runs of tokens; score by pooled_scores}}
  %scores = tercet.compressed_scores %q, %k blocks(%block, %block) pool(%block, %block)
  %classes = tercet.select %scores keep top_mass(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
