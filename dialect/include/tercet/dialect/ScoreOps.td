// pooled_scores, sampled_scores, compressed_scores, given_scores: one score per block pair and query head.
#ifndef TERCET_SCORE_OPS_TD
#define TERCET_SCORE_OPS_TD

include "tercet/dialect/TercetDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tercet_PooledScoresOp : Tercet_Op<"pooled_scores", [InSpec, Pure, AttrSizedOperandSegments]> {
  let summary = "score every block pair by the product of its mean query and mean key";
  let description = [{
    S_c[i, j] = mean of the valid rows of query block i . mean of the valid rows of key block j * scale, in fp32
    (SLA, arXiv 2509.24006, eq. 2 before its softmax, which keeps the order of a row). `center` takes the mean of all
    valid keys from the keys first. `guard` forces the row of a query block, or the column of a key block, whose tokens
    are less alike than this (SpargeAttn, arXiv 2502.18137). The block sizes are part of the model.
    See docs/spec.md#pooled_scores.

    | label | applies to           | rule                                                        |
    |-------|----------------------|-------------------------------------------------------------|
    | C1    | `block_q`, `block_k` | multiples of 16 from 16 to 256; `block_q` also 1, 2, 4 or 8 |
    | C2    | `guard`              | a number, not `auto`                                        |

    Example:
    ```mlir
    tercet.spec @scores(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %block_q = tercet.param block_q = 128 : !tercet.static<i64>
      %block_k = tercet.param block_k = 64 : !tercet.static<i64>
      %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
      %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
      %classes = tercet.select %scores keep top_fraction(%keep)
      tercet.skip %classes[marginal]
      %o = tercet.sparse %q, %k, %v on %classes[critical]
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Tokens:$q, Tercet_Tokens:$k, Tercet_StaticInteger:$block_q /*C1*/,
                       Tercet_StaticInteger:$block_k /*C1*/, Optional<Tercet_StaticFlag>:$center,
                       Optional<Tercet_RuntimeFloat>:$guard /*C2*/);
  let results = (outs Tercet_Scores:$scores);
  let assemblyFormat = [{
    $q `,` $k `blocks` `(` $block_q `,` $block_k `)` (`center` `(` $center^ `)`)? (`guard` `(` $guard^ `)`)? attr-dict
  }];
  let hasVerifier = 1;
}

def Tercet_SampledScoresOp : Tercet_Op<"sampled_scores", [InSpec, Pure]> {
  let summary = "score block pairs by the anti-diagonals of their products, as shares of a row";
  let description = [{
    Groups of `stride` tokens: a query group and a key group score the sum over t of q[stride - 1 - t] . k[t], times scale /
    stride. A softmax over the key groups of non-empty blocks makes every query group's row a distribution; a block pair gets
    the sum over its groups, divided by the number of query groups (XAttention, arXiv 2503.16428). See
    docs/spec.md#sampled_scores.

    | label | applies to           | rule                                         |
    |-------|----------------------|----------------------------------------------|
    | C1    | `block_q`, `block_k` | multiples of 16 from 16 to 256               |
    | C2    | `stride`             | 2, 4, 8 or 16                                |

    Example:
    ```mlir
    tercet.spec @sampled(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %block = tercet.param block = 128 : !tercet.static<i64>
      %stride = tercet.param stride = 16 : !tercet.static<i64>
      %mass = tercet.param mass = 0.9 : !tercet.runtime<f64>
      %scores = tercet.sampled_scores %q, %k blocks(%block, %block) stride(%stride)
      %classes = tercet.select %scores keep top_mass(%mass)
      tercet.skip %classes[marginal]
      %o = tercet.sparse %q, %k, %v on %classes[critical]
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Tokens:$q, Tercet_Tokens:$k, Tercet_StaticInteger:$block_q /*C1*/,
                       Tercet_StaticInteger:$block_k /*C1*/, Tercet_StaticInteger:$stride /*C2*/);
  let results = (outs Tercet_Scores:$scores);
  let assemblyFormat = "$q `,` $k `blocks` `(` $block_q `,` $block_k `)` `stride` `(` $stride `)` attr-dict";
  let hasVerifier = 1;
}

def Tercet_CompressedScoresOp : Tercet_Op<"compressed_scores", [InSpec, Pure, AttrSizedOperandSegments]> {
  let summary = "score block pairs by what a compressed branch gives to the tokens of a block, as shares of a row";
  let description = [{
    P = softmax of scale q . key over pools of keys, which are those of `tercet.compressed`: `length` tokens, `stride` apart,
    means or under `weights` sums. The P of a pool is shared out over its tokens; a block pair gets what falls to the
    key block, as the mean over the query tokens of the query block (NSA, arXiv 2502.11089, eq. 8 and 9; the scope `group` of
    `select` is its eq. 10). `where` gets batch, query head, query token and pool and leaves pairs out. See
    docs/spec.md#compressed_scores.

    | label | applies to           | rule                                                        |
    |-------|----------------------|-------------------------------------------------------------|
    | C1    | `block_q`, `block_k` | multiples of 16 from 16 to 256; `block_q` also 1, 2, 4 or 8 |
    | C2    | `length`, `stride`   | 1 to 4096, the stride at most the length                    |
    | C3    | `weights`            | an argument of type table<[kv_head, any], f32>              |
    | C4    | `scale`              | > 0                                                         |
    | C5    | `where`              | gets four indices and yields one i1                         |
    | C6    | `where`              | as mask C2                                                  |
    | C7    | spec                 | no token order in it                                        |

    Example: the blocks of the past with the largest shares of pools that have passed, for every query.
    ```mlir
    tercet.spec @native(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %weights: !tercet.table<[kv_head, any], f32>) {
      %block_q = tercet.param block_q = 1 : !tercet.static<i64>
      %block_k = tercet.param block_k = 64 : !tercet.static<i64>
      %length = tercet.param length = 32 : !tercet.static<i64>
      %stride = tercet.param stride = 16 : !tercet.static<i64>
      %blocks = tercet.param blocks = 16.0 : !tercet.runtime<f64>
      %past = tercet.mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %allowed = arith.cmpi sle, %j, %i : index
        tercet.yield %allowed : i1
      }
      %scores = tercet.compressed_scores %q, %k blocks(%block_q, %block_k) pool(%length, %stride) weights(%weights : !tercet.table<[kv_head, any], f32>) where {
      ^bb0(%b: index, %h: index, %i: index, %c: index):
        %n = tercet.value %length : !tercet.static<i64>
        %step = tercet.value %stride : !tercet.static<i64>
        %first = arith.muli %c, %step : index
        %end = arith.addi %first, %n : index
        %passed = arith.cmpi sle, %end, %i : index
        tercet.yield %passed : i1
      }
      %classes = tercet.select %scores keep top_count(%blocks) mask(%past)
      tercet.skip %classes[marginal]
      %o = tercet.sparse %q, %k, %v on %classes[critical] mask(%past)
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Tokens:$q, Tercet_Tokens:$k, Tercet_StaticInteger:$block_q /*C1*/,
                       Tercet_StaticInteger:$block_k /*C1*/, Tercet_StaticInteger:$length /*C2*/,
                       Tercet_StaticInteger:$stride /*C2*/, Optional<Tercet_Table>:$weights /*C3*/,
                       Optional<Tercet_RuntimeFloat>:$scale /*C4*/);
  let results = (outs Tercet_Scores:$scores /*C7*/);
  let regions = (region AnyRegion:$where /*C5, C6*/);
  let assemblyFormat = [{
    $q `,` $k `blocks` `(` $block_q `,` $block_k `)` `pool` `(` $length `,` $stride `)`
    (`weights` `(` $weights^ `:` type($weights) `)`)? (`scale` `(` $scale^ `)`)? (`where` $where^)? attr-dict
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Tercet_GivenScoresOp : Tercet_Op<"given_scores", [InSpec, Pure]> {
  let summary = "scores that the caller computed: a router, a gate, another step's attention";
  let description = [{
    The table holds one score per block pair. Selection treats it as it treats pooled scores. See docs/spec.md#given_scores.

    | label | applies to           | rule                                                                |
    |-------|----------------------|---------------------------------------------------------------------|
    | C1    | `block_q`, `block_k` | multiples of 16 from 16 to 256; `block_q` also 1, 2, 4 or 8         |
    | C2    | `table`              | an argument of type table<[batch, head, query_block, key_block], f32> |

    Example:
    ```mlir
    tercet.spec @gated(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens,
                       %gate: !tercet.table<[batch, head, query_block, key_block], f32>) {
      %block = tercet.param block = 64 : !tercet.static<i64>
      %keep = tercet.param keep = 0.1 : !tercet.runtime<f64>
      %scores = tercet.given_scores %gate blocks(%block, %block) : !tercet.table<[batch, head, query_block, key_block], f32>
      %classes = tercet.select %scores keep top_fraction(%keep)
      tercet.skip %classes[marginal]
      %o = tercet.sparse %q, %k, %v on %classes[critical]
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Table:$table /*C2*/, Tercet_StaticInteger:$block_q /*C1*/,
                       Tercet_StaticInteger:$block_k /*C1*/);
  let results = (outs Tercet_Scores:$scores);
  let assemblyFormat = "$table `blocks` `(` $block_q `,` $block_k `)` attr-dict `:` type($table)";
  let hasVerifier = 1;
}

#endif
