// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// sparse: docs/spec.md#sparse.

// C1: critical blocks.
tercet.spec @sparse_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[critical]
  // expected-error @+1 {{C1: runs on [marginal]; expected [critical]}}
  %o = tercet.sparse %q, %k, %v on %classes[marginal]
  tercet.return %o
}

// -----

tercet.spec @sparse_c1_both(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{C1: runs on [critical, marginal]; expected [critical]}}
  %o = tercet.sparse %q, %k, %v on %classes[critical, marginal]
  tercet.return %o
}

// -----

tercet.spec @sparse_c1_no_set(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{C1: needs classes and a class set together, or neither}}
  %o = "tercet.sparse"(%q, %k, %v, %classes) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0>}> ({})
      : (!tercet.tokens, !tercet.tokens, !tercet.tokens, !tercet.classes) -> !tercet.branch
  tercet.return %o
}

// -----

tercet.spec @sparse_c1_no_classes(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C1: needs classes and a class set together, or neither}}
  %o = "tercet.sparse"(%q, %k, %v) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, set = #tercet<class_set[critical]>}> ({})
      : (!tercet.tokens, !tercet.tokens, !tercet.tokens) -> !tercet.branch
  tercet.return %o
}

// -----

tercet.spec @sparse_on_without_set(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{expected '['}}
  %o = tercet.sparse %q, %k, %v on %classes
  tercet.return %o
}

// -----

tercet.spec @class_unknown(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{unknown class 'vital'; classes are critical, marginal, negligible}}
  %o = tercet.sparse %q, %k, %v on %classes[vital]
  tercet.return %o
}

// -----

tercet.spec @class_none(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{a class set names at least one of critical, marginal, negligible}}
  %o = tercet.sparse %q, %k, %v on %classes[]
  tercet.return %o
}

// -----

tercet.spec @class_twice(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{class 'critical' is named twice}}
  %o = tercet.sparse %q, %k, %v on %classes[critical, critical]
  tercet.return %o
}

// -----

// C2: a positive scale.
tercet.spec @sparse_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %scale = tercet.param scale = 0.0 : !tercet.runtime<f64>
  // expected-error @+1 {{C2: scale is 0; expected > 0}}
  %o = tercet.sparse %q, %k, %v scale(%scale)
  tercet.return %o
}

// -----

tercet.spec @sparse_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %scale = tercet.param scale = -1.0 : !tercet.runtime<f64>
  // expected-error @+1 {{C2: scale is -1; expected > 0}}
  %o = tercet.sparse %q, %k, %v scale(%scale)
  tercet.return %o
}

// -----

// C3: signature.
tercet.spec @sparse_c3(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C3: the region gets ('f32'); expected ('f32', 'index', 'index', 'index', 'index')}}
  %o = tercet.sparse %q, %k, %v score {
  ^bb0(%s: f32):
    tercet.yield %s : f32
  }
  tercet.return %o
}

// -----

// C4: ops.
tercet.spec @sparse_c4(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    // expected-error @+1 {{C4: is not an op of regions}}
    %x = math.sin %s : f32
    tercet.yield %x : f32
  }
  tercet.return %o
}

// -----

// C5: one mask for classes and scores.
tercet.spec @sparse_c5(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.9 : !tercet.runtime<f64>
  %past = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %allowed = arith.cmpi sle, %j, %i : index
    tercet.yield %allowed : i1
  }
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  // expected-note @+1 {{the classes are made here}}
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  // expected-error @+1 {{C5: has a mask, but its classes have none}}
  %o = tercet.sparse %q, %k, %v on %classes[critical] mask(%past)
  tercet.return %o
}
