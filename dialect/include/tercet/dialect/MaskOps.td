// What masks forbid, found on a GPU: lists of the tiles of keys that a block of query rows takes, and votes over pairs.
#ifndef TKERN_MASK_OPS_TD
#define TKERN_MASK_OPS_TD

include "tercet/dialect/TkernDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tkern_StepWindowsOp : Tkern_Op<"step_windows", [SingleBlock, NoTerminator]> {
  let summary = "run a body for every window of steps in which a rule leaves a step, with the list of these steps";
  let description = [{
    A step is `keys` keys; `live` keys are there. The rule gets the first and the last key of a range and answers whether
    the mask may allow a pair of the block's rows with these keys, and whether it may forbid one; yes is always a right
    answer. The body gets the list of the window's steps that the rule does not exclude, in ascending order, and how many
    they are, at least 1. The list lies at byte `offset` of the block's shared memory. All threads of a block run the op,
    with no copy under way when a body ends. With `part`, of all steps that the rule leaves only those from the first number to
    before the second are listed.

    | label | applies to | rule                                                                     |
    |-------|------------|--------------------------------------------------------------------------|
    | C1    | `rule`     | gets i32, i32 and ends with `tkern.answer` of two i1                     |
    | C2    | `body`     | gets `!tkern.step_list` and index                                        |
    | C3    | `part`     | is absent, or two numbers                                                |

    Example: count the tiles of 64 keys in which a causal mask leaves a pair for the first 64 rows.
    ```mlir
    tkern.kernel @causal_tiles(%i: index, %g: index, %u: index, %m: index, %counts: !tkern.pointer<f32>) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %first_row = arith.constant 0 : i32
      %last_row = arith.constant 63 : i32
      tkern.step_windows %m keys 64 at 0 rule {
      ^bb0(%first: i32, %last: i32):
        %allows = arith.cmpi sle, %first, %last_row : i32
        %forbids = arith.cmpi sgt, %last, %first_row : i32
        tkern.answer %allows, %forbids
      } body {
      ^bb0(%list: !tkern.step_list, %count: index):
        scf.for %step = %zero to %count step %one {
          %entry = tkern.listed %list[%step]
          %partial = arith.cmpi slt, %entry, %zero : index
        }
      }
      tkern.end
    }
    ```
  }];
  let arguments = (ins Index:$live, Variadic<Index>:$part /*C3*/, I64Attr:$keys, I64Attr:$offset);
  let regions = (region SizedRegion<1>:$rule /*C1*/, SizedRegion<1>:$body /*C2*/);
  let assemblyFormat = [{
    $live (`part` `(` $part^ `)`)? `keys` $keys `at` $offset `rule` $rule `body` $body attr-dict
  }];
  let hasRegionVerifier = 1;
}

def Tkern_ListedOp : Tkern_Op<"listed", [MemoryEffects<[MemRead]>]> {
  let summary = "an entry of a list of steps: its number, with the sign bit of an i32 set where the mask may forbid pairs";
  let description = "Example: tkern.step_windows.";
  let arguments = (ins Tkern_StepList:$list, Index:$at);
  let results = (outs Index:$entry);
  let assemblyFormat = "$list `[` $at `]` attr-dict";
}

def Tkern_VotePairsOp : Tkern_Op<"vote_pairs", [MemoryEffects<[MemRead]>, SingleBlock]> {
  let summary = "whether a mask allows some pair of a block, and whether it forbids one, by a warp";
  let description = [{
    Each thread of a warp has a block: rows from `row` to before `row_end`, columns from `col` to before `col_end`; and says
    what it knows: whether the mask may allow a pair, and whether it may forbid one, where yes is always a right answer.
    Where both are, the warp looks at the pairs of the block until both are found. Both results are exact.

    | label | applies to | rule                                                 |
    |-------|------------|------------------------------------------------------|
    | C1    | `mask`     | gets i32, i32 and ends with `tkern.answer` of one i1 |

    Example: blocks of 64 x 64 tokens under a causal mask, one per thread.
    ```mlir
    tkern.kernel @causal_blocks(%i: index, %g: index, %u: index) {
      %c64 = arith.constant 64 : index
      %unknown = arith.constant true
      %row = arith.muli %i, %c64 : index
      %row_end = arith.addi %row, %c64 : index
      %col = arith.muli %g, %c64 : index
      %col_end = arith.addi %col, %c64 : index
      %allows, %forbids = tkern.vote_pairs %unknown, %unknown rows(%row, %row_end) cols(%col, %col_end) {
      ^bb0(%query: i32, %key: i32):
        %past = arith.cmpi sle, %key, %query : i32
        tkern.answer %past
      }
      tkern.end
    }
    ```
  }];
  let arguments = (ins I1:$mayAllow, I1:$mayForbid, Index:$row, Index:$rowEnd, Index:$col, Index:$colEnd);
  let results = (outs I1:$allows, I1:$forbids);
  let regions = (region SizedRegion<1>:$mask /*C1*/);
  let assemblyFormat = [{
    $mayAllow `,` $mayForbid `rows` `(` $row `,` $rowEnd `)` `cols` `(` $col `,` $colEnd `)` $mask attr-dict
  }];
  let hasRegionVerifier = 1;
}

def Tkern_AnswerOp : Tkern_Op<"answer", [Pure, Terminator, ParentOneOf<["StepWindowsOp", "VotePairsOp"]>]> {
  let summary = "what a rule says of a range, or a mask of a pair";
  let description = "Example: tkern.vote_pairs.";
  let arguments = (ins Variadic<I1>:$values);
  let assemblyFormat = "$values attr-dict";
}

#endif
