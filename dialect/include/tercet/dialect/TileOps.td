// Register tiles: loads and stores, products, element-wise bodies, row reductions, the online-softmax step.
#ifndef TKERN_TILE_OPS_TD
#define TKERN_TILE_OPS_TD

include "tercet/dialect/TkernDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tkern_LoadOp : Tkern_Op<"load", [MemoryEffects<[MemRead]>, AttrSizedOperandSegments]> {
  let summary = "read a tile; positions at or beyond `rows`, `cols` are not read and hold `else` (0 without it)";
  let description = [{
    Example:
    ```mlir
    tkern.kernel @load(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>, %n: index) {
      %zero = arith.constant 0 : index
      %v = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<?x80xf32, stride 80, global>
      %t = tkern.load %v[%i, %zero] cols(%n) : !tkern.view<?x80xf32, stride 80, global> -> !tkern.tile<1x80>
      tkern.store %t, %v[%i, %zero] cols(%n) : !tkern.tile<1x80>, !tkern.view<?x80xf32, stride 80, global>
      tkern.end
    }
    ```
  }];
  let arguments = (ins Tkern_View:$view, Index:$row, Index:$col, Optional<Index>:$rows, Optional<Index>:$cols,
                       Optional<F32>:$otherwise);
  let results = (outs Tkern_Tile:$tile);
  let assemblyFormat = [{
    $view `[` $row `,` $col `]` (`rows` `(` $rows^ `)`)? (`cols` `(` $cols^ `)`)? (`else` `(` $otherwise^ `)`)? attr-dict
    `:` type($view) `->` type($tile)
  }];
}

def Tkern_StoreOp : Tkern_Op<"store", [MemoryEffects<[MemWrite]>, AttrSizedOperandSegments]> {
  let summary = "write a tile, rounding to the view's element type; positions at or beyond `rows`, `cols` stay as they are";
  let description = "Example: tkern.load.";
  let arguments = (ins Tkern_Tile:$tile, Tkern_View:$view, Index:$row, Index:$col, Optional<Index>:$rows,
                       Optional<Index>:$cols);
  let assemblyFormat = [{
    $tile `,` $view `[` $row `,` $col `]` (`rows` `(` $rows^ `)`)? (`cols` `(` $cols^ `)`)? attr-dict
    `:` type($tile) `,` type($view)
  }];
}

def Tkern_SplatOp : Tkern_Op<"splat", [Pure]> {
  let summary = "a tile with the same value everywhere";
  let description = "Example: tkern.matmul.";
  let arguments = (ins F32:$value);
  let results = (outs Tkern_Tile:$tile);
  let assemblyFormat = "$value attr-dict `:` type($tile)";
}

def Tkern_MatmulOp : Tkern_Op<"matmul", [MemoryEffects<[MemRead]>, AllTypesMatch<["init", "result"]>]> {
  let summary = "init + A B, with A and B read from memory";
  let description = [{
    A is rows x depth (depth x rows with `transposed`), B is depth x cols (cols x depth with `transposed_b`); the sum over
    depth runs in ascending order in f32.

    `ahead` is a hint: memory of a product to come, from the view's first element on, is brought near meanwhile. The
    requests are spread evenly over the sum's steps, where they do not hold up this product's loads
    (bench/results/zen5.md).

    Example:
    ```mlir
    tkern.kernel @product(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
      %zero = arith.constant 0 : index
      %f = arith.constant 0.0 : f32
      %a = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<4x80xf32, stride 80, global>
      %b = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<80x64xf32, stride 64, global>
      %init = tkern.splat %f : !tkern.tile<4x64>
      %c = tkern.matmul %a, %b, %init depth 80
          : !tkern.view<4x80xf32, stride 80, global>, !tkern.view<80x64xf32, stride 64, global>, !tkern.tile<4x64>
      tkern.store %c, %b[%zero, %zero] : !tkern.tile<4x64>, !tkern.view<80x64xf32, stride 64, global>
      tkern.end
    }
    ```
  }];
  let arguments = (ins Tkern_View:$a, Tkern_View:$b, Tkern_Tile:$init, I64Attr:$depth, UnitAttr:$transposed,
                       UnitAttr:$transposedB, Optional<Tkern_View>:$ahead, OptionalAttr<I64Attr>:$elements);
  let results = (outs Tkern_Tile:$result);
  let assemblyFormat = [{
    $a `,` $b `,` $init `depth` $depth (`transposed` $transposed^)? (`transposed_b` $transposedB^)?
    (`ahead` $ahead^ $elements)? attr-dict `:` type($a) `,` type($b) `,` type($init) (`,` type($ahead)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$a, "::mlir::Value":$b, "::mlir::Value":$init, "int64_t":$depth,
                                 CArg<"bool", "false">:$transposed, CArg<"bool", "false">:$transposedB)>];
  let hasVerifier = 1;
}

def Tkern_AccumulateOp : Tkern_Op<"accumulate"> {
  let summary = "acc += P B, with P in registers and the accumulator in memory of the item";
  let description = [{
    P is rows x depth, B depth x n, and rows of `acc` from its first one get n columns; n is the column count of `acc`.
    `ahead` as in tkern.matmul.
    Example: tkern.softmax_step.
  }];
  let arguments = (ins Tkern_Tile:$p, Tkern_View:$b, Tkern_View:$acc, Optional<Tkern_View>:$ahead,
                       OptionalAttr<I64Attr>:$elements);
  let assemblyFormat = [{
    $p `,` $b `into` $acc (`ahead` $ahead^ $elements)? attr-dict `:` type($p) `,` type($b) `,` type($acc)
    (`,` type($ahead)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$p, "::mlir::Value":$b, "::mlir::Value":$acc)>];
  let hasVerifier = 1;
}

def Tkern_MapOp : Tkern_Op<"map", [Pure, SingleBlock]> {
  let summary = "an element-wise body of arith and math ops on f32";
  let description = [{
    Operands are tiles of the result's shape, or broadcast from a single row or a single column; f32 values from outside
    the body are used as they are.

    Example:
    ```mlir
    tkern.kernel @halve(%i: index, %g: index, %u: index, %p: !tkern.pointer<f32>) {
      %zero = arith.constant 0 : index
      %half = arith.constant 0.5 : f32
      %v = tkern.view %p[%zero] : !tkern.pointer<f32> -> !tkern.view<4x64xf32, stride 64, global>
      %t = tkern.load %v[%zero, %zero] : !tkern.view<4x64xf32, stride 64, global> -> !tkern.tile<4x64>
      %m = tkern.reduce max %t : !tkern.tile<4x64> -> !tkern.tile<4x1>
      %r = tkern.map %t, %m : !tkern.tile<4x64>, !tkern.tile<4x1> -> !tkern.tile<4x64> {
      ^bb0(%x: f32, %y: f32):
        %d = arith.subf %x, %y : f32
        %h = arith.mulf %d, %half : f32
        tkern.yield %h
      }
      tkern.store %r, %v[%zero, %zero] : !tkern.tile<4x64>, !tkern.view<4x64xf32, stride 64, global>
      tkern.end
    }
    ```
  }];
  let arguments = (ins Variadic<Tkern_Tile>:$inputs);
  let results = (outs Tkern_Tile:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$inputs `:` type($inputs) `->` type($result) $body attr-dict";
  let hasRegionVerifier = 1;
}

def Tkern_YieldOp : Tkern_Op<"yield", [Pure, Terminator, ParentOneOf<["MapOp", "MapPairsOp"]>]> {
  let summary = "the element of a body";
  let description = "Example: tkern.map.";
  let arguments = (ins F32:$value);
  let assemblyFormat = "$value attr-dict";
}

def Tkern_ReduceOp : Tkern_Op<"reduce", [Pure]> {
  let summary = "one value per row: the sum or maximum over its columns";
  let description = "Example: tkern.map.";
  let arguments = (ins Tkern_ReduceKind:$kind, Tkern_Tile:$tile);
  let results = (outs Tkern_Tile:$result);
  let assemblyFormat = "$kind $tile attr-dict `:` type($tile) `->` type($result)";
  let hasVerifier = 1;
}

def Tkern_AnyOp : Tkern_Op<"any", [Pure]> {
  let summary = "whether some element of a tile is above 0";
  let description = "Example: tkern.write.";
  let arguments = (ins Tkern_Tile:$tile);
  let results = (outs I1:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile)";
}

def Tkern_SoftmaxStepOp : Tkern_Op<"softmax_step", [AllTypesMatch<["scores", "p"]>]> {
  let summary = "one step of the online softmax, rescaling lazily";
  let description = [{
    `scores` arrive in log2 units, relative to the running maximum: s - max[row]. Returns p = exp2(scores) and adds its row
    sums to `sum` (as many partial sums per row as `sum` has columns). While no score of the tile exceeds `threshold` the maximum stays; else
    the exact row maximum is taken, `sum` and `acc` are rescaled and p follows the new maximum. p <= 2^threshold, which f32 sums lose
    nothing by (docs/numerics.md#lazy-rescale).

    A row whose `max` is -inf is fresh: it has met no score above -inf, `sum` and `acc` hold 0, and its scores arrive as they
    are. Where the tile has such a score, its maximum becomes that of the row, however low; else the row stays fresh and p is 0.
    Where `first` holds, every row is fresh, whatever `max` holds.

    Example: the loop of a dense kernel for 4 rows; keys lie transposed, tile by tile.
    ```mlir
    tkern.kernel @attend(%i: index, %g: index, %u: index, %keys: !tkern.pointer<f32>, %values: !tkern.pointer<f32>,
                         %tiles: !tkern.pointer<i32>) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %depth = arith.constant 64 : index
      %q = tkern.scratch : !tkern.view<4x64xf32, stride 64, local>
      %max = tkern.scratch : !tkern.view<4x1xf32, stride 1, local>
      %sum = tkern.scratch : !tkern.view<4x16xf32, stride 16, local>
      %acc = tkern.scratch : !tkern.view<4x64xf32, stride 64, local>
      %count = tkern.read %tiles[%zero] : !tkern.pointer<i32> -> index
      %none = arith.constant 0.0 : f32
      %lowest = arith.constant 0xFF800000 : f32
      scf.for %t = %zero to %count step %one {
        %row = arith.muli %t, %depth : index
        %next = arith.addi %row, %depth : index
        %k = tkern.view %keys[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
        %kt = tkern.subview %k[%row, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.view<64x64xf32, stride 64, global>
        %v = tkern.view %values[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
        %vt = tkern.subview %v[%row, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.view<64x64xf32, stride 64, global>
        %kn = tkern.subview %k[%next, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.view<64x64xf32, stride 64, global>
        %m = tkern.load %max[%zero, %zero] : !tkern.view<4x1xf32, stride 1, local> -> !tkern.tile<4x1>
        %start = tkern.map %m : !tkern.tile<4x1> -> !tkern.tile<4x64> {
        ^bb0(%x: f32):
          %fresh = arith.cmpf oeq, %x, %lowest : f32
          %n = arith.negf %x : f32
          %shift = arith.select %fresh, %none, %n : f32
          tkern.yield %shift
        }
        %s = tkern.matmul %q, %kt, %start depth 64 ahead %kn 4096
            : !tkern.view<4x64xf32, stride 64, local>, !tkern.view<64x64xf32, stride 64, global>, !tkern.tile<4x64>,
              !tkern.view<64x64xf32, stride 64, global>
        %p = tkern.softmax_step %s max %max sum %sum acc %acc
            : !tkern.tile<4x64>, !tkern.view<4x1xf32, stride 1, local>, !tkern.view<4x16xf32, stride 16, local>,
              !tkern.view<4x64xf32, stride 64, local>
        tkern.accumulate %p, %vt into %acc
            : !tkern.tile<4x64>, !tkern.view<64x64xf32, stride 64, global>, !tkern.view<4x64xf32, stride 64, local>
      }
      tkern.end
    }
    ```
  }];
  let arguments = (ins Tkern_Tile:$scores, Tkern_View:$max, Tkern_View:$sum, Tkern_View:$acc, Optional<I1>:$first,
                       DefaultValuedAttr<F32Attr, "8.0f">:$threshold);
  let results = (outs Tkern_Tile:$p);
  let assemblyFormat = [{
    $scores `max` $max `sum` $sum `acc` $acc (`first` $first^)? attr-dict
    `:` type($scores) `,` type($max) `,` type($sum) `,` type($acc)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$scores, "::mlir::Value":$max, "::mlir::Value":$sum,
                                 "::mlir::Value":$acc, CArg<"::mlir::Value", "{}">:$first)>];
  let hasVerifier = 1;
}

def Tkern_SoftmaxInPlaceOp : Tkern_Op<"softmax_in_place"> {
  let summary = "tkern.softmax_step on scores in memory of the item, which become p";
  let description = [{
    For tiles that do not fit into registers. `max`, `sum`, `acc` and `threshold` as in tkern.softmax_step; a row of `max` that
    is -inf is fresh.

    | label | applies to  | rule                                                  |
    |-------|-------------|-------------------------------------------------------|
    | C1    | `scores`    | f32 with static rows and columns, not in global memory |
    | C2    | `threshold` | a finite number >= 0                                  |

    Example: a tile of 6 x 64 in panels of 16 keys, for a target with 16 registers of 8 lanes.
    ```mlir
    tkern.kernel @panels(%i: index, %g: index, %u: index, %keys: !tkern.pointer<f32>, %values: !tkern.pointer<f32>) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %four = arith.constant 4 : index
      %sixteen = arith.constant 16 : index
      %panel = arith.constant 1024 : index
      %f = arith.constant 0.0 : f32
      %q = tkern.scratch : !tkern.view<6x64xf32, stride 64, local>
      %max = tkern.scratch : !tkern.view<6x1xf32, stride 1, local>
      %sum = tkern.scratch : !tkern.view<6x16xf32, stride 16, local>
      %acc = tkern.scratch : !tkern.view<6x64xf32, stride 64, local>
      %p = tkern.scratch : !tkern.view<6x64xf32, stride 64, local>
      scf.for %part = %zero to %four step %one {
        %at = arith.muli %part, %panel : index
        %col = arith.muli %part, %sixteen : index
        %k = tkern.view %keys[%at] : !tkern.pointer<f32> -> !tkern.view<64x16xf32, stride 16, global>
        %start = tkern.splat %f : !tkern.tile<6x16>
        %s = tkern.matmul %q, %k, %start depth 64
            : !tkern.view<6x64xf32, stride 64, local>, !tkern.view<64x16xf32, stride 16, global>, !tkern.tile<6x16>
        tkern.store %s, %p[%zero, %col] : !tkern.tile<6x16>, !tkern.view<6x64xf32, stride 64, local>
      }
      tkern.softmax_in_place %p max %max sum %sum acc %acc
          : !tkern.view<6x64xf32, stride 64, local>, !tkern.view<6x1xf32, stride 1, local>,
            !tkern.view<6x16xf32, stride 16, local>, !tkern.view<6x64xf32, stride 64, local>
      scf.for %part = %zero to %four step %one {
        %at = arith.muli %part, %panel : index
        %col = arith.muli %part, %sixteen : index
        %v = tkern.view %values[%at] : !tkern.pointer<f32> -> !tkern.view<64x16xf32, stride 16, global>
        %o = tkern.load %acc[%zero, %col] : !tkern.view<6x64xf32, stride 64, local> -> !tkern.tile<6x16>
        %next = tkern.matmul %p, %v, %o depth 64
            : !tkern.view<6x64xf32, stride 64, local>, !tkern.view<64x16xf32, stride 16, global>, !tkern.tile<6x16>
        tkern.store %next, %acc[%zero, %col] : !tkern.tile<6x16>, !tkern.view<6x64xf32, stride 64, local>
      }
      tkern.end
    }
    ```
  }];
  let arguments = (ins Tkern_View:$scores /*C1*/, Tkern_View:$max, Tkern_View:$sum, Tkern_View:$acc,
                       DefaultValuedAttr<F32Attr, "8.0f">:$threshold /*C2*/);
  let assemblyFormat = [{
    $scores `max` $max `sum` $sum `acc` $acc attr-dict `:` type($scores) `,` type($max) `,` type($sum) `,` type($acc)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$scores, "::mlir::Value":$max, "::mlir::Value":$sum,
                                 "::mlir::Value":$acc)>];
  let hasVerifier = 1;
}

#endif
