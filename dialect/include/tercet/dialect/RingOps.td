// Rings of shared tiles: how a GPU block brings rows of K, V and Q near. Steps count the fills of a ring from 0.
#ifndef TKERN_RING_OPS_TD
#define TKERN_RING_OPS_TD

include "tercet/dialect/TkernDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tkern_RingOp : Tkern_Op<"ring", [MemoryEffects<[MemAlloc]>]> {
  let summary = "the slots of a ring, in the shared memory of the block; `at` is their byte offset once allocated";
  let description = [{
    Each slot is read by `readers` workers, by all without it; a slot of a `tma` ring is free when all of them have released
    it. `numbered`: a number of f32 comes with each row of a slot.

    | label | applies to | rule                                                        |
    |-------|------------|-------------------------------------------------------------|
    | C1    | `at`       | a multiple of 16 bytes, of 1024 where slots are swizzled    |
    | C2    | `readers`  | >= 1                                                        |
    | C3    | `numbered` | only of a `tma` ring                                        |

    Example: tkern.fill.
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$offset /*C1*/, OptionalAttr<I64Attr>:$readers /*C2*/,
                       UnitAttr:$numbered /*C3*/);
  let results = (outs Tkern_Ring:$ring);
  let assemblyFormat = "(`at` $offset^)? (`readers` $readers^)? (`numbered` $numbered^)? attr-dict `:` type($ring)";
  let hasVerifier = 1;
}

def Tkern_FillOp : Tkern_Op<"fill", [MemoryEffects<[MemRead, MemWrite]>, AttrSizedOperandSegments]> {
  let summary = "start to copy a tile into the slot of a step";
  let description = [{
    From a view (`cp_async` rings): rows from position on; rows at or beyond `rows` and columns that the view does not have
    become 0 and are not read. The threads' copies form one group per fill. From a tensor map (`tma` rings): position is row,
    head, batch; the fill waits until every consumer has released the slot. `numbers`: rows from the same one on of a view of one f32
    column, whose memory goes on to the end of the slot's last row, at 16 bytes.

    | label | applies to   | rule                                                                                       |
    |-------|--------------|--------------------------------------------------------------------------------------------|
    | C1    | `source`     | a global view with 1 position on a `cp_async` ring, a tensor map with 3 on a `tma` ring     |
    | C2    | `source`     | the slot's element type; not more columns than the slot; a map's box has the slot's rows    |
    | C3    | `rows`       | only with a view                                                                           |
    | C4    | a `cp_async` ring | between the last use of a slot and the fill after it lies a wait: the block's barrier  |
    | C5    | a `tma` ring | is filled in the producer region of tkern.roles                                            |
    | C6    | `numbers`    | a global view of one column of f32, for a numbered ring and no other                       |

    Example: a block of 4 warps attends 64 query rows to all keys.
    ```mlir
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
    ```
  }];
  let arguments = (ins Tkern_Ring:$ring, Index:$step, AnyTypeOf<[Tkern_View, Tkern_TensorMap]>:$source /*C1, C2*/,
                       Variadic<Index>:$position /*C1*/, Optional<Index>:$rows /*C3*/,
                       Optional<Tkern_View>:$numbers /*C6*/);
  let assemblyFormat = [{
    $ring `[` $step `]` `from` $source `[` $position `]` (`rows` `(` $rows^ `)`)? attr-dict
    `:` type($source) `to` type($ring) (`numbers` `(` $numbers^ `:` type($numbers) `)`)?
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$ring, "::mlir::Value":$step, "::mlir::Value":$source,
                                 "::mlir::ValueRange":$position, "::mlir::Value":$rows)>];
  let hasVerifier = 1;
}

def Tkern_WaitOp : Tkern_Op<"wait", [MemoryEffects<[MemRead]>]> {
  let summary = "wait until the slot of a step is full, and see it";
  let description = [{
    On a `cp_async` ring all threads of the block wait, until at most `later` of the groups that they have started are still
    under way, and then for each other. On a `tma` ring only the calling worker waits; it releases the slot afterwards.

    | label | applies to   | rule                                                                            |
    |-------|--------------|---------------------------------------------------------------------------------|
    | C1    | `view`       | has the type of the ring's slots                                                |
    | C2    | `later`      | >= 0, and 0 on a `tma` ring                                                     |
    | C3    | a `tma` ring | is waited on in the consumer region of tkern.roles                              |
    | C4    | a `tma` ring | the slot is released exactly once, in the same block and after its last use     |
    | C5    | a `tma` ring | in a branch of scf.if, the other branch waits for the same step too             |

    Example: tkern.fill.
  }];
  let arguments = (ins Tkern_Ring:$ring, Index:$step, I64Attr:$later /*C2*/);
  let results = (outs Tkern_View:$view /*C1*/);
  let assemblyFormat = "$ring `[` $step `]` `later` $later attr-dict `:` type($ring) `->` type($view)";
  let hasVerifier = 1;
}

def Tkern_ReleaseOp : Tkern_Op<"release", [MemoryEffects<[MemWrite]>]> {
  let summary = "the calling worker has read the slot of a step for the last time";
  let description = [{
    | label | applies to | rule                                                                   |
    |-------|------------|------------------------------------------------------------------------|
    | C1    | `ring`     | a `tma` ring: slots of a `cp_async` ring are free at the next wait     |
    | C2    | `step`     | was waited for before, in the same block                               |

    Example: tkern.roles.
  }];
  let arguments = (ins Tkern_Ring:$ring /*C1*/, Index:$step /*C2*/);
  let assemblyFormat = "$ring `[` $step `]` attr-dict `:` type($ring)";
  let hasVerifier = 1;
}

def Tkern_ColumnNumbersOp : Tkern_Op<"column_numbers", [MemoryEffects<[MemRead]>]> {
  let summary = "the numbers that came with a full slot, each in every row of the column that the slot's row is in a product";
  let description = [{
    | label | applies to | rule                                                                  |
    |-------|------------|-----------------------------------------------------------------------|
    | C1    | `ring`     | is numbered                                                           |
    | C2    | `tile`     | has as many columns as a slot has rows                                |
    | C3    | `step`     | between the wait for it and its release, in their block or inside it  |

    Example: columns of scores, each with a number added.
    ```mlir
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
    ```
  }];
  let arguments = (ins Tkern_Ring:$ring /*C1*/, Index:$step /*C3*/);
  let results = (outs Tkern_Tile:$tile /*C2*/);
  let assemblyFormat = "$ring `[` $step `]` attr-dict `:` type($ring) `->` type($tile)";
  let hasVerifier = 1;
}

def Tkern_DrainOp : Tkern_Op<"drain", [MemoryEffects<[MemRead]>]> {
  let summary = "wait until every copy that this thread has started is done";
  let description = "Example: tkern.fill.";
  let assemblyFormat = "attr-dict";
}

def Tkern_ClearRowsOp : Tkern_Op<"clear_rows", [MemoryEffects<[MemWrite]>]> {
  let summary = "set the rows of a full slot at or beyond `rows` to 0, for all consumers";
  let description = [{
    A box copy brings whatever lies in memory beyond a length that is shorter than the tensor; 0 times that must be 0. All
    consumers call it with the same number of rows; nothing happens where all rows are live.

    | label | applies to | rule                                                                            |
    |-------|------------|---------------------------------------------------------------------------------|
    | C1    | `view`     | swizzled shared memory, in the consumer region                                  |
    | C2    | `rows`     | in a branch of scf.if, the other branch clears as many rows of a slot too       |

    Example: tkern.roles.
  }];
  let arguments = (ins Tkern_View:$view /*C1*/, Index:$rows);
  let assemblyFormat = "$view `rows` `(` $rows `)` attr-dict `:` type($view)";
  let hasVerifier = 1;
}

#endif
