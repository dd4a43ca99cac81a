// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.spec's description.

// CHECK-LABEL: tercet.spec @dense(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
// CHECK: tercet.param scale = auto : !tercet.runtime<f64>
tercet.spec @dense(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v scale(%scale)
  tercet.return %o
}
