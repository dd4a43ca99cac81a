// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.param's description.

// CHECK-LABEL: tercet.spec @keep_half
// CHECK: tercet.param keep = 5.000000e-01 : !tercet.runtime<f64>
// CHECK: tercet.param block = 64 : !tercet.static<i64>
tercet.spec @keep_half(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %keep = tercet.param keep = 0.5 : !tercet.runtime<f64>
  %block = tercet.param block = 64 : !tercet.static<i64>
  %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
  %classes = tercet.select %scores keep top_fraction(%keep)
  tercet.skip %classes[marginal]
  %o = tercet.sparse %q, %k, %v on %classes[critical]
  tercet.return %o
}
