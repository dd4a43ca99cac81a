// RUN: tercet-opt %s --split-input-file --verify-diagnostics
// combine: docs/spec.md#combine.

// C1: sum takes an exact and a linear branch.
tercet.spec @combine_c1_count(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.sparse %q, %k, %v
  // expected-error @+1 {{C1: sum has 1 branches, expected 2}}
  %o = tercet.combine sum(%a)
  tercet.return %o
}

// -----

tercet.spec @combine_c1_kinds(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %a = tercet.sparse %q, %k, %v
  %b = tercet.sparse %q, %k, %v
  // expected-error @+1 {{C1: sum takes a tercet.sparse branch and a tercet.linear or tercet.project branch, in this order}}
  %o = tercet.combine sum(%a, %b)
  tercet.return %o
}

// -----

tercet.spec @combine_c1_order(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %a = tercet.sparse %q, %k, %v
  %b = tercet.linear %q, %k, %v feature_map(%phi)
  // expected-error @+1 {{C1: sum takes a tercet.sparse branch}}
  %o = tercet.combine sum(%b, %a)
  tercet.return %o
}

// -----

tercet.spec @combine_c1_argument(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %x: !tercet.branch) {
  // expected-error @+1 {{C1: sum takes a tercet.sparse branch}}
  %o = tercet.combine sum(%x, %x)
  tercet.return %o
}

// -----

// C2: joint merges one softmax.
tercet.spec @combine_c2_count(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  // expected-error @+1 {{C2: joint has 0 branches, expected 2}}
  %o = tercet.combine joint()
  tercet.return %o
}

// -----

tercet.spec @combine_c2_kinds(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %a = tercet.sparse %q, %k, %v
  %b = tercet.linear %q, %k, %v feature_map(%phi)
  // expected-error @+1 {{C2: joint takes a tercet.sparse branch and a tercet.block_mean branch, in this order}}
  %o = tercet.combine joint(%a, %b)
  tercet.return %o
}

// -----

tercet.spec @combine_c2_scale(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %scale = tercet.param scale = 0.5 : !tercet.runtime<f64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %exact = tercet.sparse %q, %k, %v on %classes[critical] scale(%scale)
  %means = tercet.block_mean %q, %k, %v on %classes[marginal]
  // expected-error @+1 {{C2: joint needs the same scale on both branches}}
  %o = tercet.combine joint(%exact, %means)
  tercet.return %o
}
