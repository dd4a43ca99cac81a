// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.linear's description.

// CHECK-LABEL: tercet.spec @linear_all
// CHECK: %[[PHI:.*]] = tercet.param feature_map = relu : !tercet.static<keyword>
// CHECK: %[[EPS:.*]] = tercet.param eps = 1.000000e-05
// CHECK: tercet.linear %q, %k, %v feature_map(%[[PHI]]) eps(%[[EPS]])
tercet.spec @linear_all(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = relu : !tercet.static<keyword>
  %eps = tercet.param eps = 1.0e-5 : !tercet.runtime<f64>
  %o = tercet.linear %q, %k, %v feature_map(%phi) eps(%eps)
  tercet.return %o
}
