// sparse, linear, block_mean, compressed: what is computed on the blocks of a class.
#ifndef TERCET_REGION_OPS_TD
#define TERCET_REGION_OPS_TD

include "tercet/dialect/TercetDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tercet_SparseOp : Tercet_Op<"sparse", [InSpec, Pure, AttrSizedOperandSegments]> {
  let summary = "exact softmax attention over the blocks of a class (over all of them without `on`)";
  let description = [{
    S = scale Q K^T, O = softmax(S) V over the keys of the listed blocks, with LSE = log sum exp S (natural log). A row
    without a live key gives O = 0, LSE = -inf. `scale` defaults to 1/sqrt(head dimension). `mask` leaves pairs out. The
    `score` region replaces every score: it gets S in natural units with batch, query head, query token and key token; -inf
    leaves a pair out, NaN and +inf propagate. See docs/spec.md#sparse.

    | label | applies to | rule                                                              |
    |-------|------------|-------------------------------------------------------------------|
    | C1    | `on`       | classes with the set `[critical]`                                 |
    | C2    | `scale`    | > 0                                                               |
    | C3    | `score`    | gets an f32 and four indices, and yields one f32                  |
    | C4    | `score`    | as mask C2                                                        |
    | C5    | `mask`     | the mask of the classes, where there is `on`                      |

    Example:
    ```mlir
    tercet.spec @dense_scaled(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %scale = tercet.param scale = 0.125 : !tercet.runtime<f64>
      %o = tercet.sparse %q, %k, %v scale(%scale)
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Tokens:$q, Tercet_Tokens:$k, Tercet_Tokens:$v, Optional<Tercet_Classes>:$classes,
                       OptionalAttr<Tercet_ClassSetAttr>:$set /*C1*/, Optional<Tercet_RuntimeFloat>:$scale /*C2*/,
                       Optional<Tercet_Mask>:$mask /*C5*/);
  let results = (outs Tercet_Branch:$output);
  let regions = (region AnyRegion:$score /*C3, C4*/);
  let assemblyFormat = [{
    $q `,` $k `,` $v (`on` $classes^ `` custom<ClassSet>($set))? (`scale` `(` $scale^ `)`)? (`mask` `(` $mask^ `)`)?
    (`score` $score^)? attr-dict
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Tercet_LinearOp : Tercet_Op<"linear", [InSpec, Pure, AttrSizedOperandSegments]> {
  let summary = "linear attention through a feature map over a set of blocks";
  let description = [{
    O = phi(Q) H_i / (phi(Q) Z_i + eps) with H_i = sum over the set of phi(K_j)^T V_j, Z_i likewise without V; a zero
    denominator gives 0. phi is `softmax` (over features), `elu` (ELU + 1) or `relu`. The set: `marginal` (class 0),
    `non_critical` (class 0 or -1), `all` (every non-empty block); without `on` it is `all`, on `negligible` alone
    class -1. See docs/spec.md#linear.

    | label | applies to     | rule                                                                                            |
    |-------|----------------|-------------------------------------------------------------------------------------------------|
    | C1    | `feature_map`  | softmax, elu or relu                                                                            |
    | C2    | `over`         | marginal, non_critical or all; only with `on`                                                   |
    | C3    | `on`           | `marginal`; with `negligible` where `over` takes that in; or `negligible` alone, without `over` |
    | C4    | `eps`          | >= 0                                                                                            |

    Example:
    ```mlir
    tercet.spec @linear_all(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %phi = tercet.param feature_map = relu : !tercet.static<keyword>
      %eps = tercet.param eps = 1.0e-5 : !tercet.runtime<f64>
      %o = tercet.linear %q, %k, %v feature_map(%phi) eps(%eps)
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Tokens:$q, Tercet_Tokens:$k, Tercet_Tokens:$v, Optional<Tercet_Classes>:$classes,
                       OptionalAttr<Tercet_ClassSetAttr>:$set /*C3*/, Optional<Tercet_StaticKeyword>:$over /*C2*/,
                       Tercet_StaticKeyword:$feature_map /*C1*/, Optional<Tercet_RuntimeFloat>:$eps /*C4*/);
  let results = (outs Tercet_Branch:$output);
  let assemblyFormat = [{
    $q `,` $k `,` $v (`on` $classes^ `` custom<ClassSet>($set))? (`over` `(` $over^ `)`)?
    `feature_map` `(` $feature_map `)` (`eps` `(` $eps^ `)`)? attr-dict
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Tercet_BlockMeanOp : Tercet_Op<"block_mean", [InSpec, Pure, AttrSizedOperandSegments]> {
  let summary = "softmax attention to the mean key and mean value of each block of a class";
  let description = [{
    Block j enters with weight n_j exp(scale q . mean(K_j)) and value mean(V_j), over its n_j valid tokens. A softmax
    branch: `combine joint` puts it under one denominator with the exact blocks. Under `pooled_queries` q is the mean of
    the query block, for all of its tokens. See docs/spec.md#block_mean.

    | label | applies to | rule                                   |
    |-------|------------|----------------------------------------|
    | C1    | `on`       | `marginal`                             |
    | C2    | `scale`    | > 0                                    |

    Example:
    ```mlir
    tercet.spec @means(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %block = tercet.param block = 64 : !tercet.static<i64>
      %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
      %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
      %classes = tercet.select %scores keep top_fraction(%keep)
      %exact = tercet.sparse %q, %k, %v on %classes[critical]
      %means = tercet.block_mean %q, %k, %v on %classes[marginal]
      %o = tercet.combine joint(%exact, %means)
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Tokens:$q, Tercet_Tokens:$k, Tercet_Tokens:$v, Tercet_Classes:$classes,
                       Tercet_ClassSetAttr:$set /*C1*/, Optional<Tercet_RuntimeFloat>:$scale /*C2*/,
                       Optional<Tercet_StaticFlag>:$pooled_queries);
  let results = (outs Tercet_Branch:$output);
  let assemblyFormat = [{
    $q `,` $k `,` $v `on` $classes `` custom<ClassSet>($set) (`scale` `(` $scale^ `)`)?
    (`pooled_queries` `(` $pooled_queries^ `)`)? attr-dict
  }];
  let hasVerifier = 1;
}

def Tercet_CompressedOp : Tercet_Op<"compressed", [InSpec, Pure, AttrSizedOperandSegments]> {
  let summary = "softmax attention to pools of keys and values, by query tokens or by means of query blocks";
  let description = [{
    Pool c stands for the `length` tokens from c * `stride` on: its key and its value are their means over valid tokens, or
    under `weights` sums in which the t-th token of a pool has the weight of entry t. Pools are tokens of the compute dtype.
    With `queries` a block of so many query tokens attends as its mean, and all of its tokens get the output. `where`
    gets batch, query head, query token (or query block) and pool and leaves pairs out; `score` is that of `sparse`, with the
    pool for the key. Under a token order pools and query blocks are its tiles. See docs/spec.md#compressed.

    | label | applies to         | rule                                                                   |
    |-------|--------------------|------------------------------------------------------------------------|
    | C1    | `length`, `stride` | 1 to 4096, the stride at most the length                               |
    | C2    | `queries`          | 1 to 4096                                                              |
    | C3    | `weights`          | two arguments of type table<[kv_head, any], f32>, for keys and values  |
    | C4    | `scale`            | > 0                                                                    |
    | C5    | `where`            | gets four indices and yields one i1                                    |
    | C6    | `score`            | gets an f32 and four indices, and yields one f32                       |
    | C7    | `where`, `score`   | as mask C2                                                             |
    | C8    | sizes              | under a token order the tokens of its tiles, which then are the pools  |

    Example: pools of 32 tokens, 16 apart; a query sees those that end before it.
    ```mlir
    tercet.spec @pools(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %length = tercet.param length = 32 : !tercet.static<i64>
      %stride = tercet.param stride = 16 : !tercet.static<i64>
      %o = tercet.compressed %q, %k, %v pool(%length, %stride) where {
      ^bb0(%b: index, %h: index, %i: index, %c: index):
        %n = tercet.value %length : !tercet.static<i64>
        %step = tercet.value %stride : !tercet.static<i64>
        %first = arith.muli %c, %step : index
        %end = arith.addi %first, %n : index
        %past = arith.cmpi sle, %end, %i : index
        tercet.yield %past : i1
      }
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Tokens:$q, Tercet_Tokens:$k, Tercet_Tokens:$v, Tercet_StaticInteger:$length /*C1, C8*/,
                       Tercet_StaticInteger:$stride /*C1, C8*/, Optional<Tercet_StaticInteger>:$queries /*C2, C8*/,
                       Optional<Tercet_Table>:$key_weights /*C3*/, Optional<Tercet_Table>:$value_weights /*C3*/,
                       Optional<Tercet_RuntimeFloat>:$scale /*C4*/);
  let results = (outs Tercet_Branch:$output);
  let regions = (region AnyRegion:$where /*C5, C7*/, AnyRegion:$score /*C6, C7*/);
  let assemblyFormat = [{
    $q `,` $k `,` $v `pool` `(` $length `,` $stride `)` (`queries` `(` $queries^ `)`)?
    (`weights` `(` $key_weights^ `,` $value_weights `:` type($key_weights) `,` type($value_weights) `)`)?
    (`scale` `(` $scale^ `)`)? (`where` $where^)? (`score` $score^)? attr-dict
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

#endif
