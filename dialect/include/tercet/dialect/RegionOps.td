// sparse, linear, block_mean: what is computed on the blocks of a class.
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
    | C1    | `on`       | classes with `critical`; there wherever the spec classifies       |
    | C2    | `scale`    | > 0                                                               |
    | C3    | `score`    | gets an f32 and four indices, and yields one f32                  |
    | C4    | `score`    | as mask C2                                                        |
    | C5    | `mask`     | the mask of the classes, where the spec classifies                |

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
    `non_critical` (class 0 or -1), `all` (every non-empty block); without `on` it is `all`. See docs/spec.md#linear.

    | label | applies to     | rule                                                                 |
    |-------|----------------|----------------------------------------------------------------------|
    | C1    | `feature_map`  | softmax, elu or relu                                                 |
    | C2    | `over`         | marginal, non_critical or all; only with `on`                        |
    | C3    | `on`           | classes with `marginal`, and `negligible` only where `over` takes it |
    | C4    | `eps`          | >= 0                                                                 |

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

def Tercet_BlockMeanOp : Tercet_Op<"block_mean", [InSpec, Pure]> {
  let summary = "softmax attention to the mean key and mean value of each block of a class";
  let description = [{
    Block j enters with weight n_j exp(scale q . mean(K_j)) and value mean(V_j), over its n_j valid tokens. A softmax
    branch: `combine joint` puts it under one denominator with the exact blocks. See docs/spec.md#block_mean.

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
                       Tercet_ClassSetAttr:$set /*C1*/, Optional<Tercet_RuntimeFloat>:$scale /*C2*/);
  let results = (outs Tercet_Branch:$output);
  let assemblyFormat = "$q `,` $k `,` $v `on` $classes `` custom<ClassSet>($set) (`scale` `(` $scale^ `)`)? attr-dict";
  let hasVerifier = 1;
}

#endif
