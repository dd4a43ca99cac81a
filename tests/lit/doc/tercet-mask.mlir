// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.mask's description.

// CHECK-LABEL: tercet.spec @causal_window
// CHECK: %[[MASK:.*]] = tercet.mask {
// CHECK: tercet.value
// CHECK: tercet.yield %{{.*}} : i1
// CHECK: tercet.sparse %q, %k, %v mask(%[[MASK]])
tercet.spec @causal_window(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %window = tercet.param window = 256 : !tercet.runtime<i64>
  %near = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %w = tercet.value %window : !tercet.runtime<i64>
    %past = arith.cmpi sle, %j, %i : index
    %back = arith.subi %i, %j : index
    %inside = arith.cmpi slt, %back, %w : index
    %allowed = arith.andi %past, %inside : i1
    tercet.yield %allowed : i1
  }
  %o = tercet.sparse %q, %k, %v mask(%near)
  tercet.return %o
}
