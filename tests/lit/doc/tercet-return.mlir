// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.return's description.

// CHECK-LABEL: tercet.spec @linear_only
// CHECK: %[[O:.*]] = tercet.linear
// CHECK: tercet.return %[[O]]
tercet.spec @linear_only(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %phi = tercet.param feature_map = elu : !tercet.static<keyword>
  %o = tercet.linear %q, %k, %v feature_map(%phi)
  tercet.return %o
}
