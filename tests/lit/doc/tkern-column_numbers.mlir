// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.column_numbers' description: a ring whose slots come with numbers.

// CHECK-LABEL: tkern.kernel @shifted_scores
// CHECK: %[[KEYS:.*]] = tkern.ring readers 1 numbered
// CHECK: tkern.fill %[[KEYS]][%{{.*}}] from {{.*}} numbers(%{{.*}} : !tkern.view<?x1xf32, stride 1, global>)
// CHECK: tkern.column_numbers %[[KEYS]]
tkern.kernel @shifted_scores(%i: index, %h: index, %b: index, %q: !tkern.tensor_map<64x64xbf16>,
                             %k: !tkern.tensor_map<64x64xbf16>, %np: !tkern.pointer<f32>, %op: !tkern.pointer<f32>)
    attributes {tkern.schedule = #tkern.gpu_schedule<1 x warpgroup, keys 64, slots 1, queries shared, registers 24 : 240>} {
  %c0 = arith.constant 0 : index
  %o = tkern.view %op[%c0] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
  %numbers = tkern.view %np[%c0] : !tkern.pointer<f32> -> !tkern.view<?x1xf32, stride 1, global>
  %queries = tkern.ring readers 1 : !tkern.ring<1 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  %keys = tkern.ring readers 1 numbered : !tkern.ring<1 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.roles producer registers 24 {
    tkern.fill %queries[%c0] from %q[%c0, %h, %b]
        : !tkern.tensor_map<64x64xbf16> to !tkern.ring<1 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    tkern.fill %keys[%c0] from %k[%c0, %h, %b]
        : !tkern.tensor_map<64x64xbf16> to !tkern.ring<1 x <64x64xbf16, stride 64, shared, swizzled>, tma>
        numbers(%numbers : !tkern.view<?x1xf32, stride 1, global>)
  } consumers 1 registers 240 {
    %q_rows = tkern.wait %queries[%c0] later 0 : !tkern.ring<1 x <64x64xbf16, stride 64, shared, swizzled>, tma>
        -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
    %k_rows = tkern.wait %keys[%c0] later 0 : !tkern.ring<1 x <64x64xbf16, stride 64, shared, swizzled>, tma>
        -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
    %product = tkern.matmul_async %q_rows, %k_rows depth 64 : !tkern.view<64x64xbf16, stride 64, shared, swizzled>,
        !tkern.view<64x64xbf16, stride 64, shared, swizzled> -> !tkern.pending<64x64>
    %shifts = tkern.column_numbers %keys[%c0]
        : !tkern.ring<1 x <64x64xbf16, stride 64, shared, swizzled>, tma> -> !tkern.tile<64x64>
    %s = tkern.await %product later 0 : !tkern.pending<64x64> -> !tkern.tile<64x64>
    tkern.release %queries[%c0] : !tkern.ring<1 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    tkern.release %keys[%c0] : !tkern.ring<1 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    %sum = tkern.map %s, %shifts : !tkern.tile<64x64>, !tkern.tile<64x64> -> !tkern.tile<64x64> {
    ^bb0(%x: f32, %y: f32):
      %z = arith.addf %x, %y : f32
      tkern.yield %z
    }
    tkern.store %sum, %o[%c0, %c0] : !tkern.tile<64x64>, !tkern.view<?x64xf32, stride 64, global>
  }
  tkern.end
}
