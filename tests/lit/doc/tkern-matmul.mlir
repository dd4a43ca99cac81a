// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.matmul's description.

// CHECK-LABEL: tkern.kernel @product
// CHECK: %[[INIT:.*]] = tkern.splat
// CHECK: tkern.matmul %{{.*}}, %{{.*}}, %[[INIT]] depth 80
tkern.kernel @product(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : index
  %f = arith.constant 0.0 : f32
  %a = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<4x80xf32, stride 80, global>
  %b = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<80x64xf32, stride 64, global>
  %init = tkern.splat %f : !tkern.tile<4x64>
  %c = tkern.matmul %a, %b, %init depth 80
      : !tkern.view<4x80xf32, stride 80, global>, !tkern.view<80x64xf32, stride 64, global>, !tkern.tile<4x64>
  tkern.store %c, %b[%zero, %zero] : !tkern.tile<4x64>, !tkern.view<80x64xf32, stride 64, global>
  tkern.end
}
