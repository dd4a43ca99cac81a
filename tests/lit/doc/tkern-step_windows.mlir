// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.step_windows's description.

// CHECK-LABEL: tkern.kernel @causal_tiles
// CHECK: tkern.step_windows %{{.*}} keys 64 at 0 rule
// CHECK: tkern.answer %{{.*}}, %{{.*}}
// CHECK: body
// CHECK: tkern.listed %{{.*}}[%{{.*}}]
tkern.kernel @causal_tiles(%i: index, %g: index, %u: index, %m: index, %counts: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %first_row = arith.constant 0 : i32
  %last_row = arith.constant 63 : i32
  tkern.step_windows %m keys 64 at 0 rule {
  ^bb0(%first: i32, %last: i32):
    %allows = arith.cmpi sle, %first, %last_row : i32
    %forbids = arith.cmpi sgt, %last, %first_row : i32
    tkern.answer %allows, %forbids
  } body {
  ^bb0(%list: !tkern.step_list, %count: index):
    scf.for %step = %zero to %count step %one {
      %entry = tkern.listed %list[%step]
      %partial = arith.cmpi slt, %entry, %zero : index
    }
  }
  tkern.end
}
