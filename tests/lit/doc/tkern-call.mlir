// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.call's description.

// CHECK-LABEL: tkern.kernel @pool
// CHECK: tkern.call "pool_rows" from "pool"<[128, bf16, true]> shared(%{{.*}}, %{{.*}}, %{{.*}})
tkern.kernel @pool(%i: index, %g: index, %u: index, %k: !tkern.pointer<bf16>, %means: !tkern.pointer<f32>) {
  tkern.call "pool_rows" from "pool" <[128 : i64, bf16, true]> shared (%i, %k, %means)
      : (index, !tkern.pointer<bf16>, !tkern.pointer<f32>) -> ()
  tkern.end
}
