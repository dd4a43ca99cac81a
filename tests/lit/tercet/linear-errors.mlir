// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// linear: docs/spec.md#linear.

// C1: feature maps.
tercet.spec @linear_c1(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = gelu : !tercet.static<keyword>
  // expected-error @+1 {{C1: feature_map is 'gelu'; expected softmax, elu or relu}}
  %o = tercet.linear %q, %k, %v feature_map(%phi)
  tercet.return %o
}

// -----

// C2: scopes.
tercet.spec @linear_c2(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %over = tercet.param linear_over = critical : !tercet.static<keyword>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{C2: linear_over is 'critical'; expected marginal, non_critical or all}}
  %o = tercet.linear %q, %k, %v on %classes[marginal] over(%over) feature_map(%phi)
  tercet.return %o
}

// -----

tercet.spec @linear_c2_without_on(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %over = tercet.param linear_over = all : !tercet.static<keyword>
  // expected-error @+1 {{C2: over(linear_over) needs `on %classes[..]`}}
  %o = tercet.linear %q, %k, %v over(%over) feature_map(%phi)
  tercet.return %o
}

// -----

// C3: class sets.
tercet.spec @linear_c3(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{C3: runs on [critical]; expected marginal, negligible, or both of these}}
  %o = tercet.linear %q, %k, %v on %classes[critical] feature_map(%phi)
  tercet.return %o
}

// -----

tercet.spec @linear_c3_negligible_over(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %over = tercet.param linear_over = non_critical : !tercet.static<keyword>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{C3: runs on [negligible], these blocks alone, but has over(linear_over)}}
  %o = tercet.linear %q, %k, %v on %classes[negligible] over(%over) feature_map(%phi)
  tercet.return %o
}

// -----

tercet.spec @linear_c3_over_marginal(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{C3: runs on [marginal, negligible] but is over marginal, which leaves negligible out}}
  %o = tercet.linear %q, %k, %v on %classes[marginal, negligible] feature_map(%phi)
  tercet.return %o
}

// -----

tercet.spec @linear_c3_no_set(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  // expected-error @+1 {{C3: needs classes and a class set together, or neither}}
  %o = "tercet.linear"(%q, %k, %v, %classes, %phi) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0>}>
      : (!tercet.tokens, !tercet.tokens, !tercet.tokens, !tercet.classes, !tercet.static<keyword>) -> !tercet.branch
  tercet.return %o
}

// -----

// C4: eps.
tercet.spec @linear_c4(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %eps = tercet.param eps = -1.0e-5 : !tercet.runtime<f64>
  // expected-error @+1 {{C4: eps is -1e-05; expected a number >= 0}}
  %o = tercet.linear %q, %k, %v feature_map(%phi) eps(%eps)
  tercet.return %o
}

// -----

tercet.spec @linear_c4_auto(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %eps = tercet.param eps = auto : !tercet.runtime<f64>
  // expected-error @+1 {{C4: eps is auto; expected a number >= 0}}
  %o = tercet.linear %q, %k, %v feature_map(%phi) eps(%eps)
  tercet.return %o
}
