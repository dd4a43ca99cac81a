// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.map's description.

// CHECK-LABEL: tkern.kernel @halve
// CHECK: %[[M:.*]] = tkern.reduce max %[[T:.*]] :
// CHECK: tkern.map %[[T]], %[[M]]
// CHECK: tkern.yield
tkern.kernel @halve(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : index
  %half = arith.constant 0.5 : f32
  %v = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<4x64xf32, stride 64, global>
  %t = tkern.load %v[%zero, %zero] : !tkern.view<4x64xf32, stride 64, global> -> !tkern.tile<4x64>
  %m = tkern.reduce max %t : !tkern.tile<4x64> -> !tkern.tile<4x1>
  %r = tkern.map %t, %m : !tkern.tile<4x64>, !tkern.tile<4x1> -> !tkern.tile<4x64> {
  ^bb0(%x: f32, %y: f32):
    %d = arith.subf %x, %y : f32
    %h = arith.mulf %d, %half : f32
    tkern.yield %h
  }
  tkern.store %r, %v[%zero, %zero] : !tkern.tile<4x64>, !tkern.view<4x64xf32, stride 64, global>
  tkern.end
}
