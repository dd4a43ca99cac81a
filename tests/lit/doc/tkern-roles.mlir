// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.roles' description: one thread starts box copies, two warpgroups compute.

// CHECK-LABEL: tkern.kernel @attend_boxes
// CHECK: tkern.roles producer registers 24 {
// CHECK: } consumers 2 registers 240 {
// CHECK: %[[PRODUCT:.*]] = tkern.matmul_async
// CHECK: tkern.await %[[PRODUCT]] later 0 : !tkern.pending<64x64> -> !tkern.tile<64x64>
tkern.kernel @attend_boxes(%i: index, %h: index, %b: index, %q: !tkern.tensor_map<64x64xbf16>,
                           %k: !tkern.tensor_map<64x64xbf16>, %v: !tkern.tensor_map<64x64xbf16>,
                           %op: !tkern.pointer<bf16>, %n: index, %m: index)
    attributes {tkern.schedule = #tkern.gpu_schedule<2 x warpgroup, keys 64, slots 2, queries shared, registers 24 : 240>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %o = tkern.view %op[%c0] : !tkern.pointer<bf16> -> !tkern.view<?x64xbf16, stride 64, global>
  %queries = tkern.ring readers 1 : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  %keys = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  %values = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  %block_row = arith.muli %i, %c128 : index
  %tiles = arith.ceildivui %m, %c64 : index
  tkern.roles producer registers 24 {
    tkern.fill %queries[%c0] from %q[%block_row, %h, %b]
        : !tkern.tensor_map<64x64xbf16> to !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    %second_row = arith.addi %block_row, %c64 : index
    tkern.fill %queries[%c1] from %q[%second_row, %h, %b]
        : !tkern.tensor_map<64x64xbf16> to !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    scf.for %j = %c0 to %tiles step %c1 {
      %key = arith.muli %j, %c64 : index
      tkern.fill %keys[%j] from %k[%key, %h, %b]
          : !tkern.tensor_map<64x64xbf16> to !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
      tkern.fill %values[%j] from %v[%key, %h, %b]
          : !tkern.tensor_map<64x64xbf16> to !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    }
  } consumers 2 registers 240 {
    %max = tkern.scratch : !tkern.view<64x1xf32, stride 1, register>
    %sum = tkern.scratch : !tkern.view<64x4xf32, stride 4, register>
    %acc = tkern.scratch : !tkern.view<64x64xf32, stride 64, register>
    %worker = tkern.worker
    %row = arith.muli %worker, %c64 : index
    %q_rows = tkern.wait %queries[%worker] later 0
        : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
          -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
    scf.for %j = %c0 to %tiles step %c1 {
      %first = arith.cmpi eq, %j, %c0 : index
      %key = arith.muli %j, %c64 : index
      %live = arith.subi %m, %key : index
      %k_tile = tkern.wait %keys[%j] later 0
          : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
            -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
      %product = tkern.matmul_async %q_rows, %k_tile depth 64 : !tkern.view<64x64xbf16, stride 64, shared, swizzled>,
          !tkern.view<64x64xbf16, stride 64, shared, swizzled> -> !tkern.pending<64x64>
      %s = tkern.await %product later 0 : !tkern.pending<64x64> -> !tkern.tile<64x64>
      tkern.release %keys[%j] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
      %masked = tkern.mask %s cols(%live) : !tkern.tile<64x64>
      %p = tkern.softmax_step %masked max %max sum %sum acc %acc first %first
          : !tkern.tile<64x64>, !tkern.view<64x1xf32, stride 1, register>, !tkern.view<64x4xf32, stride 4, register>,
            !tkern.view<64x64xf32, stride 64, register>
      %v_tile = tkern.wait %values[%j] later 0
          : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
            -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
      tkern.clear_rows %v_tile rows(%live) : !tkern.view<64x64xbf16, stride 64, shared, swizzled>
      %added = tkern.accumulate_async %p, %v_tile into %acc : !tkern.tile<64x64>,
          !tkern.view<64x64xbf16, stride 64, shared, swizzled>, !tkern.view<64x64xf32, stride 64, register>
      tkern.await %added later 0 : !tkern.token
      tkern.release %values[%j] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    }
    tkern.release %queries[%worker] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    %out = tkern.load %acc[%c0, %c0] : !tkern.view<64x64xf32, stride 64, register> -> !tkern.tile<64x64>
    %out_row = arith.addi %block_row, %row : index
    tkern.store %out, %o[%out_row, %c0] rows(%n) : !tkern.tile<64x64>, !tkern.view<?x64xbf16, stride 64, global>
  }
  tkern.end
}
