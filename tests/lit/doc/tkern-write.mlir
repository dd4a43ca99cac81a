// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.write's description.

// CHECK-LABEL: tkern.kernel @above
// CHECK: %[[ABOVE:.*]] = tkern.any %{{.*}} : <1x64>
// CHECK: %[[FLAG:.*]] = arith.select %[[ABOVE]]
// CHECK: tkern.write %[[FLAG]], %{{.*}}[%{{.*}}] : <i8>
tkern.kernel @above(%i: index, %g: index, %u: index, %scores: !tkern.pointer<f32>, %flags: !tkern.pointer<i8>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %v = tkern.view %scores[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
  %t = tkern.load %v[%i, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.tile<1x64>
  %above = tkern.any %t : !tkern.tile<1x64>
  %flag = arith.select %above, %one, %zero : index
  tkern.write %flag, %flags[%i] : !tkern.pointer<i8>
  tkern.end
}
