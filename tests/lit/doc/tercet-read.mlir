// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tercet.read's description.

// CHECK-LABEL: tercet.spec @alibi_slopes
// CHECK: tercet.sparse %q, %k, %v score {
// CHECK: tercet.read %slopes[%{{.*}}] : <[head], f32>
tercet.spec @alibi_slopes(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %slopes: !tercet.table<[head], f32>) {
  %o = tercet.sparse %q, %k, %v score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %slope = tercet.read %slopes[%h] : !tercet.table<[head], f32>
    %back = arith.subi %j, %i : index
    %distance = arith.index_cast %back : index to i32
    %d = arith.sitofp %distance : i32 to f32
    %bias = arith.mulf %slope, %d : f32
    %sum = arith.addf %s, %bias : f32
    tercet.yield %sum : f32
  }
  tercet.return %o
}
