// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.sampled_scores's description.

// CHECK-LABEL: tercet.spec @sampled
// CHECK: tercet.sampled_scores %q, %k blocks(%[[B:.*]], %[[B]]) stride(%{{.*}})
// CHECK: keep top_mass(%{{.*}})
tercet.spec @sampled(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 128 : !tercet.static<i64>
  %stride = tercet.param stride = 16 : !tercet.static<i64>
  %mass = tercet.param mass = 0.9 : !tercet.runtime<f64>
  %scores = tercet.sampled_scores %q, %k blocks(%block, %block) stride(%stride)
  %classes = tercet.select %scores keep top_mass(%mass)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
