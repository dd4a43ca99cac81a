// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.load's description.

// CHECK-LABEL: tkern.kernel @load
// CHECK: %[[T:.*]] = tkern.load %[[V:.*]][%{{.*}}, %{{.*}}] cols(%{{.*}})
// CHECK: tkern.store %[[T]], %[[V]][%{{.*}}, %{{.*}}] cols(%{{.*}})
tkern.kernel @load(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>, %n: index) {
  %zero = arith.constant 0 : index
  %v = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<?x80xf32, stride 80, global>
  %t = tkern.load %v[%i, %zero] cols(%n) : !tkern.view<?x80xf32, stride 80, global> -> !tkern.tile<1x80>
  tkern.store %t, %v[%i, %zero] cols(%n) : !tkern.tile<1x80>, !tkern.view<?x80xf32, stride 80, global>
  tkern.end
}
