// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// combine: docs/spec.md#combine.

// C1: what sums take.
tercet.spec @combine_c1_count(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.sparse %q, %k, %v
  // expected-error @+1 {{C1: sum has 1 branches, expected 2 or more}}
  %o = tercet.combine sum(%a)
  tercet.return %o
}

// -----

tercet.spec @combine_c1_linear(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %a = tercet.linear %q, %k, %v feature_map(%phi)
  %b = tercet.linear %q, %k, %v feature_map(%phi)
  // expected-error @+1 {{C1: sum has 2 linear branches; expected one at most}}
  %o = tercet.combine sum(%a, %b)
  tercet.return %o
}

// -----

tercet.spec @combine_c1_nested(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.sparse %q, %k, %v
  %b = tercet.sparse %q, %k, %v
  %c = tercet.sparse %q, %k, %v
  %s = tercet.combine sum(%a, %b)
  // expected-error @+1 {{C1: sum takes branches of sparse, compressed, linear, project and combine joint, or gates of these, not tercet.combine}}
  %o = tercet.combine sum(%s, %c)
  tercet.return %o
}

// -----

tercet.spec @combine_c1_means(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %a = tercet.sparse %q, %k, %v on %classes[critical]
  %b = tercet.block_mean %q, %k, %v on %classes[marginal]
  // expected-error @+1 {{or gates of these, not tercet.block_mean}}
  %o = tercet.combine sum(%a, %b)
  tercet.return %o
}

// -----

tercet.spec @combine_c1_argument(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %x: !tercet.branch) {
  // expected-error @+1 {{or gates of these, not an argument}}
  %o = tercet.combine sum(%x, %x)
  tercet.return %o
}

// -----

// C2: joint merges softmax branches.
tercet.spec @combine_c2_count(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C2: joint has 0 branches, expected 2 or more}}
  %o = tercet.combine joint()
  tercet.return %o
}

// -----

tercet.spec @combine_c2_kinds(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %a = tercet.sparse %q, %k, %v
  %b = tercet.linear %q, %k, %v feature_map(%phi)
  // expected-error @+1 {{C2: joint takes branches of sparse, compressed and block_mean, not tercet.linear}}
  %o = tercet.combine joint(%a, %b)
  tercet.return %o
}

// -----

tercet.spec @combine_c2_gate(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.sparse %q, %k, %v
  %x = tercet.sparse %q, %k, %v
  %g = tercet.gate %x {
  ^bb0(%b: index, %h: index, %i: index, %e: index):
    %half = arith.constant 0.5 : f32
    tercet.yield %half : f32
  }
  // expected-error @+1 {{C2: joint takes branches of sparse, compressed and block_mean, not tercet.gate}}
  %o = tercet.combine joint(%a, %g)
  tercet.return %o
}

// -----

// C3: means stand for blocks of the sparse branch before them.
tercet.spec @combine_c3_order(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %a = tercet.sparse %q, %k, %v on %classes[critical]
  %b = tercet.block_mean %q, %k, %v on %classes[marginal]
  // expected-error @+1 {{C3: a tercet.block_mean branch follows the tercet.sparse branch of its classes}}
  %o = tercet.combine joint(%b, %a)
  tercet.return %o
}

// -----

tercet.spec @combine_c3_other(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[critical]
  %a = tercet.sparse %q, %k, %v
  %b = tercet.block_mean %q, %k, %v on %classes[marginal]
  // expected-error @+1 {{C3: a tercet.block_mean branch follows the tercet.sparse branch of its classes}}
  %o = tercet.combine joint(%a, %b)
  tercet.return %o
}

// -----

tercet.spec @combine_c3_scale(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %scale = tercet.param scale = 0.5 : !tercet.runtime<f64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %exact = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  %means = tercet.block_mean %q, %k, %v on %classes[marginal]
  // expected-error @+1 {{C3: joint needs the same scale on the block means and on the sparse branch before them}}
  %o = tercet.combine joint(%exact, %means)
  tercet.return %o
}

// -----

// C4: a choice between whole outputs.
tercet.spec @combine_c4_count(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %which: !tercet.table<[head], i32>) {
  %a = tercet.sparse %q, %k, %v
  // expected-error @+1 {{C4: by_head has 1 branches, expected 2 or more}}
  %o = tercet.combine by_head(%a) choice(%which : !tercet.table<[head], i32>)
  tercet.return %o
}

// -----

tercet.spec @combine_c4_nested(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %which: !tercet.table<[head], i32>) {
  %a = tercet.sparse %q, %k, %v
  %b = tercet.sparse %q, %k, %v
  %c = tercet.sparse %q, %k, %v
  // expected-error @+1 {{C4: by_head makes what the spec returns, and nothing else uses it}}
  %s = tercet.combine by_head(%a, %b) choice(%which : !tercet.table<[head], i32>)
  %o = tercet.combine sum(%s, %c)
  tercet.return %o
}

// -----

// C5: what the choice is.
tercet.spec @combine_c5_missing(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.sparse %q, %k, %v
  %b = tercet.sparse %q, %k, %v
  // expected-error @+1 {{C5: by_head needs a choice that is an argument of type table<[head], i32>}}
  %o = tercet.combine by_head(%a, %b)
  tercet.return %o
}

// -----

tercet.spec @combine_c5_type(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %which: !tercet.table<[head], f32>) {
  %a = tercet.sparse %q, %k, %v
  %b = tercet.sparse %q, %k, %v
  // expected-error @+1 {{C5: by_head needs a choice that is an argument of type table<[head], i32>}}
  %o = tercet.combine by_head(%a, %b) choice(%which : !tercet.table<[head], f32>)
  tercet.return %o
}

// -----

tercet.spec @combine_c5_kind(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %which: !tercet.table<[head], i32>) {
  %a = tercet.sparse %q, %k, %v
  %b = tercet.sparse %q, %k, %v
  // expected-error @+1 {{C5: only by_head has a choice}}
  %o = tercet.combine sum(%a, %b) choice(%which : !tercet.table<[head], i32>)
  tercet.return %o
}
