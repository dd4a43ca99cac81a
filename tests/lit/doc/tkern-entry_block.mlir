// RUN: tercet-opt %s | tercet-opt | FileCheck %s
// The example of tkern.entry_block's description: every slot is filled once and released by both workers.

// CHECK-LABEL: tkern.kernel @super_row
// CHECK: tkern.entry_block %{{.*}}
// CHECK: %[[TAKES:.*]] = tkern.entry_takes %{{.*}} by %{{.*}}
// CHECK: scf.if %[[TAKES]] {
tkern.kernel @super_row(%i: index, %h: index, %b: index, %k: !tkern.tensor_map<64x64xbf16>,
                        %lists: !tkern.pointer<i32>, %count: index)
    attributes {tkern.schedule = #tkern.gpu_schedule<2 x warpgroup, keys 64, slots 2, queries shared, registers 24 : 240>} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %keys = tkern.ring : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
  tkern.roles producer registers 24 {
    scf.for %j = %c0 to %count step %c1 {
      %entry = tkern.read %lists[%j] : !tkern.pointer<i32> -> index
      %block = tkern.entry_block %entry
      %key = arith.muli %block, %c64 : index
      tkern.fill %keys[%j] from %k[%key, %h, %b]
          : !tkern.tensor_map<64x64xbf16> to !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
    }
  } consumers 2 registers 240 {
    %worker = tkern.worker
    scf.for %j = %c0 to %count step %c1 {
      %entry = tkern.read %lists[%j] : !tkern.pointer<i32> -> index
      %takes = tkern.entry_takes %entry by %worker
      scf.if %takes {
        %tile = tkern.wait %keys[%j] later 0
            : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
              -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
        %rows = tkern.fetch %tile[%c0, %c0]
            : !tkern.view<64x64xbf16, stride 64, shared, swizzled> -> !tkern.view<64x64xbf16, stride 64, register>
        tkern.release %keys[%j] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
      } else {
        %tile = tkern.wait %keys[%j] later 0
            : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
              -> !tkern.view<64x64xbf16, stride 64, shared, swizzled>
        tkern.release %keys[%j] : !tkern.ring<2 x <64x64xbf16, stride 64, shared, swizzled>, tma>
      }
    }
  }
  tkern.end
}
