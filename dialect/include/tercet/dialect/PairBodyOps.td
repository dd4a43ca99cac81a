// Bodies over pairs: element-wise bodies that see positions, and reads of tables inside and outside of them.
#ifndef TKERN_PAIR_BODY_OPS_TD
#define TKERN_PAIR_BODY_OPS_TD

include "tercet/dialect/TkernDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tkern_MapPairsOp : Tkern_Op<"map_pairs", [MemoryEffects<[MemRead]>, SingleBlock, AllTypesMatch<["tile", "result"]>]> {
  let summary = "an element-wise body that sees the position of its element";
  let description = [{
    The body gets an element with its position: element [r, c] of the tile stands at row `row` + r and column `col` + c, as
    i32. It yields the f32 that replaces the element. Its ops are arith and math on f32, i32 and i1, with the meaning of
    docs/spec.md#regions (sums wrap, x / 0 and x % 0 are 0, wide shifts give 0 or the sign), and tkern.element. f32, i32 and
    i1 values from outside of the body are used as they are; a mask is a body that selects -inf.

    The tiles `with` which the body comes hold what was computed before: per element, per row (a single column) or per column
    (a single row). Integers pass through them as bits, by arith.bitcast.

    | label | applies to | rule                                                                                      |
    |-------|------------|-------------------------------------------------------------------------------------------|
    | C1    | `body`     | gets f32, i32, i32, one f32 per tile of `inputs`, and ends with `tkern.yield`             |
    | C2    | `body`     | holds arith and math ops and tkern.element                                                |
    | C3    | `inputs`   | have the tile's rows and columns, or one                                                  |

    Example: ALiBi for one head, and a bias per key.
    ```mlir
    tkern.kernel @alibi(%i: index, %head: index, %u: index, %p: !tkern.pointer<f32>, %slopes: !tkern.pointer<f32>,
                        %heads: index, %stride: index, %biases: !tkern.pointer<f32>) {
      %zero = arith.constant 0 : index
      %four = arith.constant 4 : index
      %row = arith.muli %i, %four : index
      %v = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
      %s = tkern.load %v[%row, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.tile<4x64>
      %h = arith.index_castui %head : index to i32
      %slope = tkern.element %slopes[%h] sizes(%heads) strides(%stride) : !tkern.pointer<f32> -> f32
      %all = tkern.view %biases[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
      %of_key = tkern.load %all[%zero, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.tile<1x64>
      %r = tkern.map_pairs %s at[%row, %zero] with %of_key : !tkern.tile<4x64>, !tkern.tile<1x64> {
      ^bb0(%x: f32, %query: i32, %key: i32, %own: f32):
        %distance = arith.subi %key, %query : i32
        %d = arith.sitofp %distance : i32 to f32
        %bias = arith.mulf %slope, %d : f32
        %z = arith.addf %x, %bias : f32
        %y = arith.addf %z, %own : f32
        tkern.yield %y
      }
      tkern.store %r, %v[%row, %zero] : !tkern.tile<4x64>, !tkern.view<?x64xf32, stride 64, global>
      tkern.end
    }
    ```
  }];
  let arguments = (ins Tkern_Tile:$tile, Index:$row, Index:$col, Variadic<Tkern_Tile>:$inputs /*C3*/);
  let results = (outs Tkern_Tile:$result);
  let regions = (region SizedRegion<1>:$body /*C1, C2*/);
  let assemblyFormat = [{
    $tile `at` `[` $row `,` $col `]` (`with` $inputs^)? `:` type($tile) (`,` type($inputs)^)? $body attr-dict
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$tile, "::mlir::Value":$row, "::mlir::Value":$col)>];
  let hasRegionVerifier = 1;
}

def Tkern_ElementOp : Tkern_Op<"element", [MemoryEffects<[MemRead]>, AttrSizedOperandSegments]> {
  let summary = "read an element of a table; an index outside of an axis reads its nearest end";
  let description = [{
    Index a counts along axis a, of `sizes[a]` entries that are `strides[a]` elements apart; indices are i32, sizes at
    least 1. Tables do not change during a launch.

    | label | applies to                   | rule                                               |
    |-------|------------------------------|----------------------------------------------------|
    | C1    | `indices`, `sizes`, `strides`| one of each per axis                               |
    | C2    | `element`                    | what the pointer points to: f32 or i32             |

    Example: tkern.map_pairs.
  }];
  let arguments = (ins Tkern_Pointer:$table, Variadic<I32>:$indices /*C1*/, Variadic<Index>:$sizes /*C1*/,
                       Variadic<Index>:$strides /*C1*/);
  let results = (outs AnyTypeOf<[F32, I32]>:$element /*C2*/);
  let assemblyFormat = [{
    $table `[` $indices `]` `sizes` `(` $sizes `)` `strides` `(` $strides `)` attr-dict `:` type($table) `->` type($element)
  }];
  let hasVerifier = 1;
}

#endif
