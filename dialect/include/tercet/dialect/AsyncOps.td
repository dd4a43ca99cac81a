// Matrix products in flight, of a GPU's warpgroups: a product is started, other work goes on, its result is awaited.
#ifndef TKERN_ASYNC_OPS_TD
#define TKERN_ASYNC_OPS_TD

include "tercet/dialect/TkernDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tkern_MatmulAsyncOp : Tkern_Op<"matmul_async", [MemoryEffects<[MemRead]>]> {
  let summary = "start A B^T, with B in shared memory";
  let description = [{
    A is rows x depth, in registers or shared memory, B is cols x depth. The result can be had from tkern.await only.

    | label | applies to | rule                                                                            |
    |-------|------------|---------------------------------------------------------------------------------|
    | C1    | `a`, `b`   | one element type, bf16 or f16; `b` and a shared `a` are swizzled                |
    | C2    | extents    | 64 rows; cols a multiple of 8 up to 256; depth a multiple of 16                 |
    | C3    | `pending`  | awaited exactly once, in the same block                                         |

    Example: tkern.roles.
  }];
  let arguments = (ins Tkern_View:$a /*C1*/, Tkern_View:$b /*C1*/, I64Attr:$depth /*C2*/);
  let results = (outs Tkern_Pending:$pending /*C3*/);
  let assemblyFormat = "$a `,` $b `depth` $depth attr-dict `:` type($a) `,` type($b) `->` type($pending)";
  let hasVerifier = 1;
}

def Tkern_AccumulateAsyncOp : Tkern_Op<"accumulate_async", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "start acc += P B, with P rounded to the type of B";
  let description = [{
    P is rows x depth, B depth x n in shared memory, `acc` rows x n in registers.

    | label | applies to | rule                                                                   |
    |-------|------------|------------------------------------------------------------------------|
    | C1    | `b`        | swizzled shared memory of bf16 or f16                                  |
    | C2    | extents    | 64 rows; n a multiple of 8 up to 256; depth a multiple of 16           |
    | C3    | `token`    | awaited exactly once, in the same block                                |
    | C4    | `acc`      | a register view; not touched before tkern.await                        |

    Example: tkern.roles.
  }];
  let arguments = (ins Tkern_Tile:$p, Tkern_View:$b /*C1*/, Tkern_View:$acc /*C4*/);
  let results = (outs Tkern_Token:$token /*C3*/);
  let assemblyFormat = "$p `,` $b `into` $acc attr-dict `:` type($p) `,` type($b) `,` type($acc)";
  let hasVerifier = 1;
}

def Tkern_AwaitOp : Tkern_Op<"await", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "wait for a product, while `later` ones stay in flight";
  let description = [{
    | label | applies to | rule                                                                       |
    |-------|------------|----------------------------------------------------------------------------|
    | C1    | `tile`     | the result of a tkern.matmul_async, with its extents; none for a token     |
    | C2    | `later`    | the number of products started between this one and the wait               |

    Example: tkern.roles.
  }];
  let arguments = (ins AnyTypeOf<[Tkern_Pending, Tkern_Token]>:$product, I64Attr:$later /*C2*/);
  let results = (outs Optional<Tkern_Tile>:$tile /*C1*/);
  let assemblyFormat = "$product `later` $later attr-dict `:` type($product) (`->` type($tile)^)?";
  let hasVerifier = 1;
}

#endif
