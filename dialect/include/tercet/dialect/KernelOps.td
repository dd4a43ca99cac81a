// kernel and memory: work items, views, scalar reads.
#ifndef TKERN_KERNEL_OPS_TD
#define TKERN_KERNEL_OPS_TD

include "tercet/dialect/TkernDialect.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tkern_KernelOp : Tkern_Op<"kernel", [IsolatedFromAbove, Symbol, SingleBlock]> {
  let summary = "one work item of a stage";
  let description = [{
    The first three block arguments are the item's indices, the others the argument block, one 8-byte slot each: pointers,
    index and f64 values; on a GPU also tensor maps, of 128 bytes.

    | label | applies to | rule                                                                   |
    |-------|------------|------------------------------------------------------------------------|
    | C1    | arguments  | three index values, then pointers, index and f64 values, tensor maps   |
    | C2    | body       | ends with `tkern.end`                                                  |

    Example:
    ```mlir
    tkern.kernel @copy(%i: index, %g: index, %u: index, %from: !tkern.pointer<bf16>, %to: !tkern.pointer<f32>) {
      %zero = arith.constant 0 : index
      %rows = arith.constant 4 : index
      %row = arith.muli %i, %rows : index
      %src = tkern.view %from[%zero] : !tkern.pointer<bf16> -> !tkern.view<?x64xbf16, stride 64, global>
      %dst = tkern.view %to[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
      %t = tkern.load %src[%row, %zero] : !tkern.view<?x64xbf16, stride 64, global> -> !tkern.tile<4x64>
      tkern.store %t, %dst[%row, %zero] : !tkern.tile<4x64>, !tkern.view<?x64xf32, stride 64, global>
      tkern.end
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body /*C1, C2*/);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
}

def Tkern_EndOp : Tkern_Op<"end", [Terminator, HasParent<"KernelOp">]> {
  let summary = "the end of a work item";
  let description = "Example: tkern.kernel.";
  let assemblyFormat = "attr-dict";
}

def Tkern_ScratchOp : Tkern_Op<"scratch", [MemoryEffects<[MemAlloc]>]> {
  let summary = "memory of the work item, undefined at its start";
  let description = "Example: tkern.softmax_step.";
  let results = (outs Tkern_View:$view);
  let assemblyFormat = "attr-dict `:` type($view)";
  let hasVerifier = 1;
}

def Tkern_ViewOp : Tkern_Op<"view", [Pure]> {
  let summary = "see memory behind a pointer, from an element offset, with a row stride";
  let description = "Example: tkern.kernel.";
  let arguments = (ins Tkern_Pointer:$base, Index:$offset, Optional<Index>:$stride);
  let results = (outs Tkern_View:$view);
  let assemblyFormat = "$base `[` $offset `]` (`stride` `(` $stride^ `)`)? attr-dict `:` type($base) `->` type($view)";
  let hasVerifier = 1;
}

def Tkern_SubviewOp : Tkern_Op<"subview", [Pure]> {
  let summary = "the same memory from another row and column";
  let description = "Example: tkern.select_view.";
  let arguments = (ins Tkern_View:$source, Index:$row, Index:$col);
  let results = (outs Tkern_View:$view);
  let assemblyFormat = "$source `[` $row `,` $col `]` attr-dict `:` type($source) `->` type($view)";
  let hasVerifier = 1;
}

def Tkern_SelectViewOp : Tkern_Op<"select_view", [Pure, AllTypesMatch<["whenTrue", "whenFalse", "view"]>]> {
  let summary = "one of two views of the same type";
  let description = [{
    Example:
    ```mlir
    tkern.kernel @bias_or_own(%i: index, %g: index, %u: index, %bias: !tkern.pointer<f32>, %out: !tkern.pointer<f32>) {
      %zero = arith.constant 0 : index
      %bias_view = tkern.view %bias[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
      %own = tkern.view %out[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
      %row = tkern.subview %bias_view[%i, %zero]
          : !tkern.view<?x64xf32, stride 64, global> -> !tkern.view<?x64xf32, stride 64, global>
      %absent = tkern.is_null %bias : !tkern.pointer<f32>
      %from = tkern.select_view %absent, %own, %row : !tkern.view<?x64xf32, stride 64, global>
      %t = tkern.load %from[%zero, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.tile<1x64>
      tkern.store %t, %own[%i, %zero] : !tkern.tile<1x64>, !tkern.view<?x64xf32, stride 64, global>
      tkern.end
    }
    ```
  }];
  let arguments = (ins I1:$condition, Tkern_View:$whenTrue, Tkern_View:$whenFalse);
  let results = (outs Tkern_View:$view);
  let assemblyFormat = "$condition `,` $whenTrue `,` $whenFalse attr-dict `:` type($view)";
}

def Tkern_IsNullOp : Tkern_Op<"is_null", [Pure]> {
  let summary = "whether an optional argument is absent";
  let description = "Example: tkern.select_view.";
  let arguments = (ins Tkern_Pointer:$pointer);
  let results = (outs I1:$result);
  let assemblyFormat = "$pointer attr-dict `:` type($pointer)";
}

def Tkern_ReadOp : Tkern_Op<"read", [MemoryEffects<[MemRead]>]> {
  let summary = "read one scalar: integers (i8, i32) become index, floats f32";
  let description = "Example: tkern.softmax_step.";
  let arguments = (ins Tkern_Pointer:$pointer, Index:$index);
  let results = (outs AnyTypeOf<[Index, F32]>:$value);
  let assemblyFormat = "$pointer `[` $index `]` attr-dict `:` type($pointer) `->` type($value)";
  let hasVerifier = 1;
}

def Tkern_WriteOp : Tkern_Op<"write", [MemoryEffects<[MemWrite]>]> {
  let summary = "write one scalar: the low bits of an index where integers (i8, i32) lie";
  let description = [{
    Example: a byte per query block, whether some score of its row is above 0.
    ```mlir
    tkern.kernel @above(%i: index, %g: index, %u: index, %scores: !tkern.pointer<f32>, %flags: !tkern.pointer<i8>) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %v = tkern.view %scores[%zero] : !tkern.pointer<f32> -> !tkern.view<?x64xf32, stride 64, global>
      %t = tkern.load %v[%i, %zero] : !tkern.view<?x64xf32, stride 64, global> -> !tkern.tile<1x64>
      %above = tkern.any %t : !tkern.tile<1x64>
      %flag = arith.select %above, %one, %zero : index
      tkern.write %flag, %flags[%i] : !tkern.pointer<i8>
      tkern.end
    }
    ```
  }];
  let arguments = (ins Index:$value, Tkern_Pointer:$pointer, Index:$index);
  let assemblyFormat = "$value `,` $pointer `[` $index `]` attr-dict `:` type($pointer)";
  let hasVerifier = 1;
}

def Tkern_CallOp : Tkern_Op<"call"> {
  let summary = "a function of the GPU's device library, bound to compile-time constants";
  let description = [{
    The function `callee` of `header` (compiler/device/tercet/dev) takes `constants` as template arguments. With `shared`
    the block's dynamic shared memory is its first argument; register views are passed by reference, all else by value.

    | label | applies to         | rule                                                      |
    |-------|--------------------|-----------------------------------------------------------|
    | C1    | `callee`, `header` | words of lower-case letters, digits and underscores       |
    | C2    | `constants`        | integers, flags and element types                         |

    Example:
    ```mlir
    tkern.kernel @pool(%i: index, %g: index, %u: index, %k: !tkern.pointer<bf16>, %means: !tkern.pointer<f32>) {
      tkern.call "pool_rows" from "pool" <[128 : i64, bf16, true]> shared (%i, %k, %means)
          : (index, !tkern.pointer<bf16>, !tkern.pointer<f32>) -> ()
      tkern.end
    }
    ```
  }];
  let arguments = (ins StrAttr:$callee /*C1*/, StrAttr:$header /*C1*/, ArrayAttr:$constants /*C2*/, UnitAttr:$shared,
                       Variadic<AnyType>:$inputs);
  let results = (outs Optional<AnyType>:$result);
  let assemblyFormat = [{
    $callee `from` $header `<` $constants `>` (`shared` $shared^)? `(` $inputs `)` attr-dict
    `:` functional-type($inputs, results)
  }];
  let hasVerifier = 1;
}

#endif
