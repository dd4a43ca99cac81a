// mask, and what stands in regions over pairs: read, value, extent, yield.
#ifndef TERCET_PAIR_OPS_TD
#define TERCET_PAIR_OPS_TD

include "tercet/dialect/TercetDialect.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tercet_MaskOp : Tercet_Op<"mask", [InSpec, Pure]> {
  let summary = "a predicate on pairs of tokens: where it is false, the pair takes part in nothing";
  let description = [{
    The region gets batch, query head, query token and key token, and yields whether the pair is allowed. Blocks without an
    allowed pair are empty; blocks with some forbidden pairs are partial, which makes them critical. Causal masks say how the
    sequences are aligned: `j <= i` aligns their beginnings, `j - M <= i - N` their ends. See docs/spec.md#mask.

    | label | applies to | rule                                                                                  |
    |-------|------------|---------------------------------------------------------------------------------------|
    | C1    | `body`     | gets four indices and yields one i1                                                    |
    | C2    | `body`     | ops of regions; from outside only tables and parameters, by tercet.read and value      |

    Example:
    ```mlir
    tercet.spec @causal_window(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %window = tercet.param window = 256 : !tercet.runtime<i64>
      %near = tercet.mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %w = tercet.value %window : !tercet.runtime<i64>
        %past = arith.cmpi sle, %j, %i : index
        %back = arith.subi %i, %j : index
        %inside = arith.cmpi slt, %back, %w : index
        %allowed = arith.andi %past, %inside : i1
        tercet.yield %allowed : i1
      }
      %o = tercet.sparse %q, %k, %v mask(%near)
      tercet.return %o
    }
    ```
  }];
  let results = (outs Tercet_Mask:$mask);
  let regions = (region SizedRegion<1>:$body /*C1, C2*/);
  let assemblyFormat = "attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

def Tercet_ReadOp : Tercet_Op<"read", [InRegion, Pure, DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "an element of a table";
  let description = [{
    An index outside of an axis reads its nearest end, so that no index reads foreign memory and an axis of size 1 serves
    every index. f32 elements are f32, i32 elements index. See docs/spec.md#read.

    | label | applies to | rule                                     |
    |-------|------------|------------------------------------------|
    | C1    | `indices`  | one per axis of the table                |
    | C2    | `table`    | an argument of the spec                  |

    Example:
    ```mlir
    tercet.spec @alibi_slopes(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %slopes: !tercet.table<[head], f32>) {
      %o = tercet.sparse %q, %k, %v score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %slope = tercet.read %slopes[%h] : !tercet.table<[head], f32>
        %back = arith.subi %j, %i : index
        %distance = arith.index_cast %back : index to i32
        %d = arith.sitofp %distance : i32 to f32
        %bias = arith.mulf %slope, %d : f32
        %sum = arith.addf %s, %bias : f32
        tercet.yield %sum : f32
      }
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Table:$table /*C2*/, Variadic<Index>:$indices /*C1*/);
  let results = (outs AnyTypeOf<[F32, Index]>:$element);
  let assemblyFormat = "$table `[` $indices `]` attr-dict `:` type($table)";
  let hasVerifier = 1;
}

def Tercet_ValueOp : Tercet_Op<"value", [InRegion, Pure, DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "the value of a parameter: f64 as f32, i64 as index, a flag as i1";
  let description = [{
    See docs/spec.md#value.

    | label | applies to | rule                                                                       |
    |-------|------------|----------------------------------------------------------------------------|
    | C1    | `param`    | a number or a flag, not a keyword; not `auto`; integers from -2^30 to 2^30 |

    Example:
    ```mlir
    tercet.spec @softcap(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %cap = tercet.param cap = 30.0 : !tercet.runtime<f64>
      %o = tercet.sparse %q, %k, %v score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %c = tercet.value %cap : !tercet.runtime<f64>
        %x = arith.divf %s, %c : f32
        %t = math.tanh %x : f32
        %y = arith.mulf %t, %c : f32
        tercet.yield %y : f32
      }
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins AnyTypeOf<[Tercet_Static, Tercet_Runtime]>:$param /*C1*/);
  let results = (outs AnyTypeOf<[F32, Index, I1]>:$result);
  let assemblyFormat = "$param attr-dict `:` type($param)";
  let hasVerifier = 1;
}

def Tercet_ExtentOp : Tercet_Op<"extent", [InRegion, Pure]> {
  let summary = "a size of the call: query or key tokens of the batch entry (its lengths considered), or heads";
  let description = [{
    See docs/spec.md#extent.

    Example:
    ```mlir
    tercet.spec @causal_ends(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %past = tercet.mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %n = tercet.extent query
        %m = tercet.extent key
        %left = arith.addi %j, %n : index
        %right = arith.addi %i, %m : index
        %allowed = arith.cmpi sle, %left, %right : index
        tercet.yield %allowed : i1
      }
      %o = tercet.sparse %q, %k, %v mask(%past)
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Extent:$extent);
  let results = (outs Index:$result);
  let assemblyFormat = "$extent attr-dict";
}

def Tercet_YieldOp : Tercet_Op<"yield", [InRegion, Pure, Terminator]> {
  let summary = "what a region gives for its pair: a score (f32), or whether it is allowed or in the set (i1)";
  let description = [{
    See docs/spec.md#yield.

    Example:
    ```mlir
    tercet.spec @near_keys(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %o = tercet.sparse %q, %k, %v score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %half = arith.constant 0.5 : f32
        %warm = arith.mulf %s, %half : f32
        tercet.yield %warm : f32
      }
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins AnyTypeOf<[F32, I1]>:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

#endif
