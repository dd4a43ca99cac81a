// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.combine's description.

// CHECK-LABEL: tercet.spec @sum
// CHECK: %[[EXACT:.*]] = tercet.sparse
// CHECK: %[[PROJ:.*]] = tercet.project
// CHECK: tercet.combine sum(%[[EXACT]], %[[PROJ]])
tercet.spec @sum(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %over = tercet.param linear_over = all : !tercet.static<keyword>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] over(%over) feature_map(%phi)
  %proj = tercet.project %rest, %w, %b
  %o = tercet.combine sum(%exact, %proj)
  tercet.return %o
}
