// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.fill's description: rings that all threads fill, for one block of four warps.

// CHECK-LABEL: tkern.kernel @attend_rows
// CHECK: %[[K:.*]] = tkern.wait %[[KEYS:.*]][%{{.*}}] later 0
// CHECK: tkern.matmul %{{.*}}, %[[K]], %{{.*}} depth 64 transposed_b
// CHECK: tkern.fill %[[KEYS]][
tkern.kernel @attend_rows(%i: index, %h: index, %b: index, %qp: !tkern.pointer<bf16>, %kp: !tkern.pointer<bf16>,
                          %vp: !tkern.pointer<bf16>, %op: !tkern.pointer<bf16>, %n: index, %m: index)
    attributes {tkern.schedule = #tkern.gpu_schedule<4 x warp, keys 64, slots 1, queries register, registers 0 : 0>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  %q = tkern.view %qp[%c0] : !tkern.pointer<bf16> -> !tkern.view<?x64xbf16, stride 64, global>
  %k = tkern.view %kp[%c0] : !tkern.pointer<bf16> -> !tkern.view<?x64xbf16, stride 64, global>
  %v = tkern.view %vp[%c0] : !tkern.pointer<bf16> -> !tkern.view<?x64xbf16, stride 64, global>
  %o = tkern.view %op[%c0] : !tkern.pointer<bf16> -> !tkern.view<?x64xbf16, stride 64, global>
  %queries = tkern.ring : !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async>
  %keys = tkern.ring : !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async>
  %values = tkern.ring : !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async>
  %max = tkern.scratch : !tkern.view<16x1xf32, stride 1, register>
  %sum = tkern.scratch : !tkern.view<16x4xf32, stride 4, register>
  %acc = tkern.scratch : !tkern.view<16x64xf32, stride 64, register>
  %block_row = arith.muli %i, %c64 : index
  %worker = tkern.worker
  %row = arith.muli %worker, %c16 : index
  tkern.fill %queries[%c0] from %q[%block_row] rows(%n)
      : !tkern.view<?x64xbf16, stride 64, global> to !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async>
  tkern.fill %keys[%c0] from %k[%c0] rows(%m)
      : !tkern.view<?x64xbf16, stride 64, global> to !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async>
  %q_tile = tkern.wait %queries[%c0] later 1
      : !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async> -> !tkern.view<64x64xbf16, stride 72, shared>
  %q_rows = tkern.fetch %q_tile[%row, %c0]
      : !tkern.view<64x64xbf16, stride 72, shared> -> !tkern.view<16x64xbf16, stride 64, register>
  %tiles = arith.ceildivui %m, %c64 : index
  scf.for %j = %c0 to %tiles step %c1 {
    %first = arith.cmpi eq, %j, %c0 : index
    %key = arith.muli %j, %c64 : index
    %live = arith.subi %m, %key : index
    %next = arith.addi %j, %c1 : index
    %next_key = arith.muli %next, %c64 : index
    %k_tile = tkern.wait %keys[%j] later 0
        : !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async> -> !tkern.view<64x64xbf16, stride 72, shared>
    tkern.fill %values[%j] from %v[%key] rows(%m)
        : !tkern.view<?x64xbf16, stride 64, global> to !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async>
    %none = tkern.splat %zero : !tkern.tile<16x64>
    %s = tkern.matmul %q_rows, %k_tile, %none depth 64 transposed_b
        : !tkern.view<16x64xbf16, stride 64, register>, !tkern.view<64x64xbf16, stride 72, shared>, !tkern.tile<16x64>
    %masked = tkern.mask %s cols(%live) : !tkern.tile<16x64>
    %p = tkern.softmax_step %masked max %max sum %sum acc %acc first %first
        : !tkern.tile<16x64>, !tkern.view<16x1xf32, stride 1, register>, !tkern.view<16x4xf32, stride 4, register>,
          !tkern.view<16x64xf32, stride 64, register>
    %v_tile = tkern.wait %values[%j] later 0
        : !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async> -> !tkern.view<64x64xbf16, stride 72, shared>
    tkern.fill %keys[%next] from %k[%next_key] rows(%m)
        : !tkern.view<?x64xbf16, stride 64, global> to !tkern.ring<1 x <64x64xbf16, stride 72, shared>, cp_async>
    tkern.accumulate %p, %v_tile into %acc
        : !tkern.tile<16x64>, !tkern.view<64x64xbf16, stride 72, shared>, !tkern.view<16x64xf32, stride 64, register>
  }
  tkern.drain
  %out = tkern.load %acc[%c0, %c0] : !tkern.view<16x64xf32, stride 64, register> -> !tkern.tile<16x64>
  %out_row = arith.addi %block_row, %row : index
  tkern.store %out, %o[%out_row, %c0] rows(%n) : !tkern.tile<16x64>, !tkern.view<?x64xbf16, stride 64, global>
  tkern.end
}
