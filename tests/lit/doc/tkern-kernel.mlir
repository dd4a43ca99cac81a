// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.kernel's description.

// CHECK-LABEL: tkern.kernel @copy(%{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: !tkern.pointer<bf16>
// CHECK: tkern.view
// CHECK: tkern.end
tkern.kernel @copy(%i: index, %g: index, %u: index, %from: !tkern.pointer<bf16>, %to: !tkern.pointer<f32>) {
  %zero = arith.constant 0 : index
  %rows = arith.constant 4 : index
  %row = arith.muli %i, %rows : index
  %src = tkern.view %from[%zero] : !tkern.pointer<bf16> -> !tkern.view<?x64xbf16, stride 64, global>
  %dst = tkern.view %to[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
  %t = tkern.load %src[%row, %zero] : !tkern.view<?x64xbf16, stride 64, global> -> !tkern.tile<4x64>
  tkern.store %t, %dst[%row, %zero] : !tkern.tile<4x64>, !tkern.view<?x64xf32, stride 64, global>
  tkern.end
}
