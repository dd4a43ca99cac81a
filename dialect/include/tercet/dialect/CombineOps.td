// project, gate, combine: from branches to one output.
#ifndef TERCET_COMBINE_OPS_TD
#define TERCET_COMBINE_OPS_TD

include "tercet/dialect/TercetDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tercet_ProjectOp : Tercet_Op<"project", [InSpec, Pure]> {
  let summary = "O W^T + b: the learned projection of a linear branch";
  let description = [{
    `w` [value_dim, value_dim] and `b` [value_dim] are shared by all heads and applied in fp32; `b` is added to every row.
    At run time an absent `w` is the identity (with a warning), an absent `b` is 0. See docs/spec.md#project.

    | label | applies to | rule                                |
    |-------|------------|-------------------------------------|
    | C1    | `input`    | comes from `tercet.linear`          |
    | C2    | `w`, `b`   | arguments of the spec, used once    |

    Example:
    ```mlir
    tercet.spec @projected(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
      %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
      %l = tercet.linear %q, %k, %v feature_map(%phi)
      %o = tercet.project %l, %w, %b
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Branch:$input /*C1*/, Tercet_Weight:$w /*C2*/, Tercet_Weight:$b /*C2*/);
  let results = (outs Tercet_Branch:$output);
  let assemblyFormat = "$input `,` $w `,` $b attr-dict";
  let hasVerifier = 1;
}

def Tercet_GateOp : Tercet_Op<"gate", [InSpec, Pure]> {
  let summary = "a branch times a factor per query token, or per query token and feature";
  let description = [{
    The region gets batch, query head, query token and value feature, and yields the factor: an entry of a table, a sigmoid of
    one, a parameter, or any function of these. The log-sum-exp stays that of the branch. See docs/spec.md#gate.

    | label | applies to | rule                                                                           |
    |-------|------------|--------------------------------------------------------------------------------|
    | C1    | `input`    | a sparse, compressed, linear or project branch, or what `combine joint` made   |
    | C2    | `factor`   | gets four indices and yields one f32                                           |
    | C3    | `factor`   | as mask C2                                                                     |

    Example: exact and linear attention blended by a table (SLA2).
    ```mlir
    tercet.spec @blended(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %share: !tercet.table<[batch, head, query_block], f32>) {
      %block = tercet.param block = 64 : !tercet.static<i64>
      %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
      %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
      %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
      %classes = tercet.select %scores keep top_fraction(%keep)
      %exact = tercet.sparse %q, %k, %v on %classes[critical]
      %rest = tercet.linear %q, %k, %v on %classes[marginal] feature_map(%phi)
      %mine = tercet.gate %exact {
      ^bb0(%b: index, %h: index, %i: index, %e: index):
        %rows = tercet.value %block : !tercet.static<i64>
        %row = arith.divsi %i, %rows : index
        %a = tercet.read %share[%b, %h, %row] : !tercet.table<[batch, head, query_block], f32>
        tercet.yield %a : f32
      }
      %others = tercet.gate %rest {
      ^bb0(%b: index, %h: index, %i: index, %e: index):
        %one = arith.constant 1.0 : f32
        %rows = tercet.value %block : !tercet.static<i64>
        %row = arith.divsi %i, %rows : index
        %a = tercet.read %share[%b, %h, %row] : !tercet.table<[batch, head, query_block], f32>
        %left = arith.subf %one, %a : f32
        tercet.yield %left : f32
      }
      %o = tercet.combine sum(%mine, %others)
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Branch:$input /*C1*/);
  let results = (outs Tercet_Branch:$output);
  let regions = (region SizedRegion<1>:$factor /*C2, C3*/);
  let assemblyFormat = "$input attr-dict-with-keyword $factor";
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Tercet_CombineOp : Tercet_Op<"combine", [InSpec, Pure, AttrSizedOperandSegments]> {
  let summary = "one output from several branches: their sum, their softmax under a joint denominator, or one per head";
  let description = [{
    `sum` adds outputs, each normalised over its own set. `joint` merges softmax branches exactly by their log-sum-exp,
    as if all their terms had stood under one softmax. `by_head` takes for every query head the branch that `choice` names,
    counted from 0; another number skips the head. See docs/spec.md#combine.

    | label | applies to | rule                                                                                    |
    |-------|------------|-----------------------------------------------------------------------------------------|
    | C1    | `sum`      | two or more branches, none of them `block_mean`, `sum` or `by_head`; at most one linear |
    | C2    | `joint`    | two or more of `sparse`, `compressed`, `block_mean`                                      |
    | C3    | `joint`    | a `block_mean` branch follows the `sparse` branch of its classes, with the same scale   |
    | C4    | `by_head`  | two or more branches, none of them `block_mean` or `by_head`; what the spec returns     |
    | C5    | `choice`   | an argument of type table<[head], i32>, with `by_head` only                              |

    Example:
    ```mlir
    tercet.spec @sum(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
      %block = tercet.param block = 64 : !tercet.static<i64>
      %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
      %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
      %over = tercet.param linear_over = all : !tercet.static<keyword>
      %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
      %classes = tercet.select %scores keep top_fraction(%keep)
      %exact = tercet.sparse %q, %k, %v on %classes[critical]
      %rest = tercet.linear %q, %k, %v on %classes[marginal] over(%over) feature_map(%phi)
      %proj = tercet.project %rest, %w, %b
      %o = tercet.combine sum(%exact, %proj)
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_CombineKind:$kind, Variadic<Tercet_Branch>:$branches /*C1, C2, C3, C4*/,
                       Optional<Tercet_Table>:$choice /*C5*/);
  let results = (outs Tercet_Branch:$output);
  let assemblyFormat = "$kind `(` $branches `)` (`choice` `(` $choice^ `:` type($choice) `)`)? attr-dict";
  let hasVerifier = 1;
}

#endif
