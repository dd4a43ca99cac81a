// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.project's description.

// CHECK-LABEL: tercet.spec @projected
// CHECK: %[[L:.*]] = tercet.linear
// CHECK: tercet.project %[[L]], %w, %b
tercet.spec @projected(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
  %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
  %l = tercet.linear %q, %k, %v feature_map(%phi)
  %o = tercet.project %l, %w, %b
  tercet.return %o
}
