// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.value's description.

// CHECK-LABEL: tercet.spec @softcap
// CHECK: %[[CAP:.*]] = tercet.param cap = 3
// CHECK: tercet.value %[[CAP]] : !tercet.runtime<f64>
tercet.spec @softcap(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %cap = tercet.param cap = 30.0 : !tercet.runtime<f64>
  %o = tercet.sparse %q, %k, %v score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %c = tercet.value %cap : !tercet.runtime<f64>
    %x = arith.divf %s, %c : f32
    %t = math.tanh %x : f32
    %y = arith.mulf %t, %c : f32
    tercet.yield %y : f32
  }
  tercet.return %o
}
