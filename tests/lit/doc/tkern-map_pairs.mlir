// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.map_pairs's description.

// CHECK-LABEL: tkern.kernel @alibi
// CHECK: %[[SLOPE:.*]] = tkern.element %{{.*}}[%{{.*}}] sizes(%{{.*}}) strides(%{{.*}}) : <f32> -> f32
// CHECK: tkern.map_pairs %{{.*}} at[%{{.*}}, %{{.*}}] with %{{.*}} : <4x64>, !tkern.tile<1x64>
// CHECK: arith.mulf %[[SLOPE]]
// CHECK: tkern.yield
tkern.kernel @alibi(%i: index, %head: index, %u: index, %p: !tkern.pointer<f32>, %slopes: !tkern.pointer<f32>,
                    %heads: index, %stride: index, %biases: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : index
  %four = arith.constant 4 : index
  %row = arith.muli %i, %four : index
  %v = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
  %s = tkern.load %v[%row, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.tile<4x64>
  %h = arith.index_castui %head : index to i32
  %slope = tkern.element %slopes[%h] sizes(%heads) strides(%stride) : !tkern.pointer<f32> -> f32
  %all = tkern.view %biases[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
  %of_key = tkern.load %all[%zero, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.tile<1x64>
  %r = tkern.map_pairs %s at[%row, %zero] with %of_key : !tkern.tile<4x64>, !tkern.tile<1x64> {
  ^bb0(%x: f32, %query: i32, %key: i32, %own: f32):
    %distance = arith.subi %key, %query : i32
    %d = arith.sitofp %distance : i32 to f32
    %bias = arith.mulf %slope, %d : f32
    %z = arith.addf %x, %bias : f32
    %y = arith.addf %z, %own : f32
    tkern.yield %y
  }
  tkern.store %r, %v[%row, %zero] : !tkern.tile<4x64>, !tkern.view<?x64xf32, stride 64, global>
  tkern.end
}
