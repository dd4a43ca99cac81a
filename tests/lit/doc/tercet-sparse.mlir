// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.sparse's description.

// CHECK-LABEL: tercet.spec @dense_scaled
// CHECK: %[[SCALE:.*]] = tercet.param scale = 1.250000e-01 : !tercet.runtime<f64>
// CHECK: tercet.sparse %q, %k, %v scale(%[[SCALE]])
tercet.spec @dense_scaled(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %scale = tercet.param scale = 0.125 : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v scale(%scale)
  tercet.return %o
}
