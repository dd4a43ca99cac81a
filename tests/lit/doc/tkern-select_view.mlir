// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.select_view's description.

// CHECK-LABEL: tkern.kernel @bias_or_own
// CHECK: %[[ROW:.*]] = tkern.subview
// CHECK: %[[ABSENT:.*]] = tkern.is_null
// CHECK: tkern.select_view %[[ABSENT]], %{{.*}}, %[[ROW]]
tkern.kernel @bias_or_own(%i: index, %g: index, %u: index, %bias: !tkern.pointer<f32>, %out: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : index
  %bias_view = tkern.view %bias[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
  %own = tkern.view %out[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
  %row = tkern.subview %bias_view[%i, %zero]
      : !tkern.view<?x64xf32, stride 64, global> -> !tkern.view<?x64xf32, stride 64, global>
  %absent = tkern.is_null %bias : !tkern.pointer<f32>
  %from = tkern.select_view %absent, %own, %row : !tkern.view<?x64xf32, stride 64, global>
  %t = tkern.load %from[%zero, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.tile<1x64>
  tkern.store %t, %own[%i, %zero] : !tkern.tile<1x64>, !tkern.view<?x64xf32, stride 64, global>
  tkern.end
}
