// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// compressed: docs/spec.md#compressed.

// C1: sizes of pools.
tercet.spec @compressed_c1_length(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %n = tercet.param n = 0 : !tercet.static<i64>
  // expected-error @+1 {{C1: n is 0; expected 1 to 4096}}
  %o = tercet.compressed %q, %k, %v pool(%n, %n)
  tercet.return %o
}

// -----

tercet.spec @compressed_c1_stride(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %n = tercet.param n = 16 : !tercet.static<i64>
  %step = tercet.param step = 17 : !tercet.static<i64>
  // expected-error @+1 {{C1: step is 17, more than n, which is 16: tokens between pools would be lost}}
  %o = tercet.compressed %q, %k, %v pool(%n, %step)
  tercet.return %o
}

// -----

// C2: pooled queries.
tercet.spec @compressed_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %n = tercet.param n = 16 : !tercet.static<i64>
  %rows = tercet.param rows = 5000 : !tercet.static<i64>
  // expected-error @+1 {{C2: rows is 5000; expected 1 to 4096}}
  %o = tercet.compressed %q, %k, %v pool(%n, %n) queries(%rows)
  tercet.return %o
}

// -----

// C3: weights.
tercet.spec @compressed_c3(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %a: !tercet.table<[head, any], f32>) {
  %n = tercet.param n = 16 : !tercet.static<i64>
  // expected-error @+1 {{C3: weights are arguments of type table<[kv_head, any], f32>}}
  %o = tercet.compressed %q, %k, %v pool(%n, %n) weights(%a, %a : !tercet.table<[head, any], f32>, !tercet.table<[head, any], f32>)
  tercet.return %o
}

// -----

// C4: scale.
tercet.spec @compressed_c4(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %n = tercet.param n = 16 : !tercet.static<i64>
  %scale = tercet.param scale = 0.0 : !tercet.runtime<f64>
  // expected-error @+1 {{C4: scale is 0; expected > 0}}
  %o = tercet.compressed %q, %k, %v pool(%n, %n) scale(%scale)
  tercet.return %o
}

// -----

// C5: where.
tercet.spec @compressed_c5(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %n = tercet.param n = 16 : !tercet.static<i64>
  %o = tercet.compressed %q, %k, %v pool(%n, %n) where {
  ^bb0(%b: index, %h: index, %i: index, %c: index):
    %one = arith.constant 1.0 : f32
    // expected-error @+1 {{C5: yields 'f32'; expected 'i1'}}
    tercet.yield %one : f32
  }
  tercet.return %o
}

// -----

// C6: score.
tercet.spec @compressed_c6(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %n = tercet.param n = 16 : !tercet.static<i64>
  // expected-error @+1 {{C6: the region gets ('f32'); expected ('f32', 'index', 'index', 'index', 'index')}}
  %o = tercet.compressed %q, %k, %v pool(%n, %n) score {
  ^bb0(%s: f32):
    tercet.yield %s : f32
  }
  tercet.return %o
}

// -----

// C7: ops of both.
tercet.spec @compressed_c7_where(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %n = tercet.param n = 16 : !tercet.static<i64>
  %o = tercet.compressed %q, %k, %v pool(%n, %n) where {
  ^bb0(%b: index, %h: index, %i: index, %c: index):
    // expected-error @+1 {{C7: is not an op of regions}}
    %wide = arith.index_castui %c : index to i32
    %yes = arith.constant true
    tercet.yield %yes : i1
  }
  tercet.return %o
}

// -----

tercet.spec @compressed_c7_score(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %n = tercet.param n = 16 : !tercet.static<i64>
  %o = tercet.compressed %q, %k, %v pool(%n, %n) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %c: index):
    // expected-error @+1 {{C7: is not an op of regions}}
    %y = math.cos %s : f32
    tercet.yield %y : f32
  }
  tercet.return %o
}

// -----

tercet.spec @compressed_c8(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %stride = tercet.param stride = 32 : !tercet.static<i64>
  %side = tercet.param side = 8 : !tercet.static<i64>
  %grid = tercet.param grid = 16 : !tercet.runtime<i64>
  %keep = tercet.param keep = 0.3 : !tercet.runtime<f64>
  tercet.token_order grid(%grid, %grid) tile(%side, %side)
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %fine = tercet.sparse %q, %k, %v on %classes[critical]
  // expected-error @+1 {{C8: under a token order pools are its tiles, of 64 tokens; expected these for length, stride and queries}}
  %coarse = tercet.compressed %q, %k, %v pool(%block, %stride)
  %o = tercet.combine sum(%fine, %coarse)
  tercet.return %o
}
