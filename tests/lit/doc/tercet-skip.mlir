// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.skip's description.

// CHECK-LABEL: tercet.spec @skip
// CHECK: %[[CLASSES:.*]] = tercet.select
// CHECK: tercet.skip %[[CLASSES]][marginal]
tercet.spec @skip(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %block = tercet.param block = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.25 : !tercet.runtime<f64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
