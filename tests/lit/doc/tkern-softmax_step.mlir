// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.softmax_step's description.

// CHECK-LABEL: tkern.kernel @attend
// CHECK: tkern.scratch
// CHECK: tkern.read
// CHECK: scf.for
// CHECK: tkern.matmul {{.*}} ahead %{{.*}} 4096
// CHECK: %[[P:.*]] = tkern.softmax_step %{{.*}} max %{{.*}} sum %{{.*}} acc %[[ACC:[0-9]+]] :
// CHECK: tkern.accumulate %[[P]], %{{.*}} into %[[ACC]]
tkern.kernel @attend(%i: index, %g: index, %u: index, %keys: !tkern.pointer<f32>, %values: !tkern.pointer<f32>,
                     %tiles: !tkern.pointer<i32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %depth = arith.constant 64 : index
  %q = tkern.scratch : !tkern.view<4x64xf32, stride 64, local>
  %max = tkern.scratch : !tkern.view<4x1xf32, stride 1, local>
  %sum = tkern.scratch : !tkern.view<4x16xf32, stride 16, local>
  %acc = tkern.scratch : !tkern.view<4x64xf32, stride 64, local>
  %count = tkern.read %tiles[%zero] : !tkern.pointer<i32> -> index
  %none = arith.constant 0.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  scf.for %t = %zero to %count step %one {
    %row = arith.muli %t, %depth : index
    %next = arith.addi %row, %depth : index
    %k = tkern.view %keys[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
    %kt = tkern.subview %k[%row, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.view<64x64xf32, stride 64, global>
    %v = tkern.view %values[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
    %vt = tkern.subview %v[%row, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.view<64x64xf32, stride 64, global>
    %kn = tkern.subview %k[%next, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.view<64x64xf32, stride 64, global>
    %m = tkern.load %max[%zero, %zero] : !tkern.view<4x1xf32, stride 1, local> -> !tkern.tile<4x1>
    %start = tkern.map %m : !tkern.tile<4x1> -> !tkern.tile<4x64> {
    ^bb0(%x: f32):
      %fresh = arith.cmpf oeq, %x, %lowest : f32
      %n = arith.negf %x : f32
      %shift = arith.select %fresh, %none, %n : f32
      tkern.yield %shift
    }
    %s = tkern.matmul %q, %kt, %start depth 64 ahead %kn 4096
        : !tkern.view<4x64xf32, stride 64, local>, !tkern.view<64x64xf32, stride 64, global>, !tkern.tile<4x64>,
          !tkern.view<64x64xf32, stride 64, global>
    %p = tkern.softmax_step %s max %max sum %sum acc %acc
        : !tkern.tile<4x64>, !tkern.view<4x1xf32, stride 1, local>, !tkern.view<4x16xf32, stride 16, local>,
          !tkern.view<4x64xf32, stride 64, local>
    tkern.accumulate %p, %vt into %acc
        : !tkern.tile<4x64>, !tkern.view<64x64xf32, stride 64, global>, !tkern.view<4x64xf32, stride 64, local>
  }
  tkern.end
}
