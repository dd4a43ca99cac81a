// Lists of super rows: query blocks that workers of a GPU block attend together take the union of their lists, entry by
// entry, each with one bit per worker.
#ifndef TKERN_LIST_OPS_TD
#define TKERN_LIST_OPS_TD

include "tercet/dialect/TkernDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tkern_EntryBlockOp : Tkern_Op<"entry_block", [Pure]> {
  let summary = "the key block of an entry";
  let description = [{
    | label | applies to | rule                                                       |
    |-------|------------|------------------------------------------------------------|
    | C1    | `entry`    | is read from a list of 32-bit integers by tkern.read       |

    Example: the producer loads every entry's keys once; a worker that does not take them releases the slot all the same.
    ```mlir
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
    ```
  }];
  let arguments = (ins Index:$entry /*C1*/);
  let results = (outs Index:$block);
  let assemblyFormat = "$entry attr-dict";
  let hasVerifier = 1;
}

def Tkern_EntryTakesOp : Tkern_Op<"entry_takes", [Pure]> {
  let summary = "whether a worker's query block takes the key block of an entry";
  let description = [{
    | label | applies to | rule                                                                                    |
    |-------|------------|-----------------------------------------------------------------------------------------|
    | C1    | `entry`    | is read from a list of 32-bit integers by tkern.read                                    |
    | C2    | the op     | stands in the consumer region of tkern.roles: what is loaded is loaded for all workers  |

    Example: tkern.entry_block.
  }];
  let arguments = (ins Index:$entry /*C1*/, Index:$worker);
  let results = (outs I1:$takes);
  let assemblyFormat = "$entry `by` $worker attr-dict";
  let hasVerifier = 1;
}

#endif
