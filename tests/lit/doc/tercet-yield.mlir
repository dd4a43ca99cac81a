// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.yield's description.

// CHECK-LABEL: tercet.spec @near_keys
// CHECK: tercet.yield %{{.*}} : f32
tercet.spec @near_keys(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %half = arith.constant 0.5 : f32
    %warm = arith.mulf %s, %half : f32
    tercet.yield %warm : f32
  }
  tercet.return %o
}
