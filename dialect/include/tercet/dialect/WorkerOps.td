// Workers of a GPU block: who they are, their roles, what they hold in registers.
#ifndef TKERN_WORKER_OPS_TD
#define TKERN_WORKER_OPS_TD

include "tercet/dialect/TkernDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tkern_WorkerOp : Tkern_Op<"worker", [Pure]> {
  let summary = "the index of the calling warp or warpgroup among those that share the rows of the block";
  let description = "Example: tkern.fill.";
  let results = (outs Index:$index);
  let assemblyFormat = "attr-dict";
}

def Tkern_RolesOp : Tkern_Op<"roles", [SingleBlock, NoTerminator]> {
  let summary = "one thread starts the copies, warpgroups compute";
  let description = [{
    The producer region runs in one thread of the first warpgroup, the consumer region in `consumers` more warpgroups.
    Registers per thread move from the producer's warpgroup to the consumers'. All rings are made before.

    | label | applies to  | rule                                                                              |
    |-------|-------------|-----------------------------------------------------------------------------------|
    | C1    | registers   | multiples of 8 from 24 to 240; in all no more than warpgroups start with          |
    | C2    | `consumers` | 1 to 3                                                                            |

    Example: two warpgroups attend 128 query rows to all keys.
    ```mlir
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
    ```
  }];
  let arguments = (ins I64Attr:$producerRegisters /*C1*/, I64Attr:$consumers /*C2*/, I64Attr:$consumerRegisters /*C1*/);
  let regions = (region SizedRegion<1>:$producer, SizedRegion<1>:$consumer);
  let assemblyFormat = [{
    `producer` `registers` $producerRegisters $producer `consumers` $consumers `registers` $consumerRegisters $consumer
    attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether an op lies in the producer (consumer) region of some tkern.roles.
    static bool inProducer(::mlir::Operation *op);
    static bool inConsumer(::mlir::Operation *op);
  }];
}

def Tkern_FetchOp : Tkern_Op<"fetch", [MemoryEffects<[MemRead]>]> {
  let summary = "bring a part of a shared tile into the worker's registers, as the left operand of products";
  let description = [{
    | label | applies to | rule                                                                     |
    |-------|------------|--------------------------------------------------------------------------|
    | C1    | `source`   | a shared view of the result's element type, with at least its extents    |
    | C2    | `view`     | a register view; rows and columns are multiples of 16                    |

    Example: tkern.fill.
  }];
  let arguments = (ins Tkern_View:$source /*C1*/, Index:$row, Index:$col);
  let results = (outs Tkern_View:$view /*C2*/);
  let assemblyFormat = "$source `[` $row `,` $col `]` attr-dict `:` type($source) `->` type($view)";
  let hasVerifier = 1;
}

def Tkern_MaskOp : Tkern_Op<"mask", [Pure, AllTypesMatch<["tile", "result"]>]> {
  let summary = "columns at or beyond `cols` become -inf, whatever they hold";
  let description = "Example: tkern.fill.";
  let arguments = (ins Tkern_Tile:$tile, Index:$cols);
  let results = (outs Tkern_Tile:$result);
  let assemblyFormat = "$tile `cols` `(` $cols `)` attr-dict `:` type($tile)";
}

#endif
