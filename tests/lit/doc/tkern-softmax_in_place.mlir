// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.softmax_in_place's description.

// CHECK-LABEL: tkern.kernel @panels
// CHECK: scf.for
// CHECK: tkern.store %{{.*}}, %[[P:.*]][%
// CHECK: tkern.softmax_in_place %[[P]] max %{{.*}} sum %{{.*}} acc %[[ACC:.*]] :
// CHECK: scf.for
// CHECK: tkern.load %[[ACC]]
// CHECK: tkern.matmul %[[P]]
tkern.kernel @panels(%i: index, %g: index, %u: index, %keys: !tkern.pointer<f32>, %values: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %four = arith.constant 4 : index
  %sixteen = arith.constant 16 : index
  %panel = arith.constant 1024 : index
  %f = arith.constant 0.0 : f32
  %q = tkern.scratch : !tkern.view<6x64xf32, stride 64, local>
  %max = tkern.scratch : !tkern.view<6x1xf32, stride 1, local>
  %sum = tkern.scratch : !tkern.view<6x16xf32, stride 16, local>
  %acc = tkern.scratch : !tkern.view<6x64xf32, stride 64, local>
  %p = tkern.scratch : !tkern.view<6x64xf32, stride 64, local>
  scf.for %part = %zero to %four step %one {
    %at = arith.muli %part, %panel : index
    %col = arith.muli %part, %sixteen : index
    %k = tkern.view %keys[%at] : !tkern.pointer<f32> -> !tkern.view<64x16xf32, stride 16, global>
    %start = tkern.splat %f : !tkern.tile<6x16>
    %s = tkern.matmul %q, %k, %start depth 64
        : !tkern.view<6x64xf32, stride 64, local>, !tkern.view<64x16xf32, stride 16, global>, !tkern.tile<6x16>
    tkern.store %s, %p[%zero, %col] : !tkern.tile<6x16>, !tkern.view<6x64xf32, stride 64, local>
  }
  tkern.softmax_in_place %p max %max sum %sum acc %acc
      : !tkern.view<6x64xf32, stride 64, local>, !tkern.view<6x1xf32, stride 1, local>,
        !tkern.view<6x16xf32, stride 16, local>, !tkern.view<6x64xf32, stride 64, local>
  scf.for %part = %zero to %four step %one {
    %at = arith.muli %part, %panel : index
    %col = arith.muli %part, %sixteen : index
    %v = tkern.view %values[%at] : !tkern.pointer<f32> -> !tkern.view<64x16xf32, stride 16, global>
    %o = tkern.load %acc[%zero, %col] : !tkern.view<6x64xf32, stride 64, local> -> !tkern.tile<6x16>
    %next = tkern.matmul %p, %v, %o depth 64
        : !tkern.view<6x64xf32, stride 64, local>, !tkern.view<64x16xf32, stride 16, global>, !tkern.tile<6x16>
    tkern.store %next, %acc[%zero, %col] : !tkern.tile<6x16>, !tkern.view<6x64xf32, stride 64, local>
  }
  tkern.end
}
