// pooled_scores, select, skip: from tokens to block classes.
#ifndef TERCET_CLASSIFY_OPS_TD
#define TERCET_CLASSIFY_OPS_TD

include "tercet/dialect/TercetDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tercet_PooledScoresOp : Tercet_Op<"pooled_scores", [InSpec, Pure]> {
  let summary = "score every block pair by the product of its mean query and mean key";
  let description = [{
    S_c[i, j] = mean of the valid rows of query block i . mean of the valid rows of key block j * scale, in fp32
    (SLA, arXiv 2509.24006, eq. 2 before its softmax, which keeps the order of a row). The block sizes are part of the
    model. See docs/spec.md#pooled_scores.

    | label | applies to           | rule                                |
    |-------|----------------------|-------------------------------------|
    | C1    | `block_q`, `block_k` | multiples of 16 from 16 to 256      |

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
                       Tercet_StaticInteger:$block_k /*C1*/);
  let results = (outs Tercet_Scores:$scores);
  let assemblyFormat = "$q `,` $k `blocks` `(` $block_q `,` $block_k `)` attr-dict";
  let hasVerifier = 1;
}

def Tercet_SelectOp : Tercet_Op<"select", [InSpec, Pure, AttrSizedOperandSegments]> {
  let summary = "classify the blocks of every row by score: critical, negligible, marginal";
  let description = [{
    Per row: the best `keep` of the candidates are critical, the worst `drop` of the others negligible, the rest marginal;
    ties go to the lowest index. A fraction of the n non-empty blocks becomes a count by `count` (floor, ceil or round);
    at least `min_keep` are kept where keep > 0. `sink` forces the first key blocks, `diagonal` the blocks that meet the
    diagonal of token indices; forced blocks are critical, beat `drop`, and use up `keep` only under `forced_counts`.
    See docs/spec.md#select.

    | label | applies to             | rule                                                                |
    |-------|------------------------|---------------------------------------------------------------------|
    | C1    | `keep`, `drop`         | fractions lie in [0, 1], counts are integers >= 0                   |
    | C2    | `keep`, `drop`         | two fractions add up to at most 1                                   |
    | C3    | `count`                | floor, ceil or round                                                |
    | C4    | `min_keep`, `sink`     | >= 0                                                                |

    Example:
    ```mlir
    tercet.spec @select(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %block = tercet.param block = 64 : !tercet.static<i64>
      %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
      %drop = tercet.param drop = 0.1 : !tercet.runtime<f64>
      %rule = tercet.param count_rule = floor : !tercet.static<keyword>
      %min = tercet.param min_keep = 1 : !tercet.runtime<i64>
      %phi = tercet.param feature_map = softmax : !tercet.static<keyword>
      %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
      %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop) count(%rule) min_keep(%min)
      tercet.skip %classes[negligible]
      %exact = tercet.sparse %q, %k, %v on %classes[critical]
      %rest = tercet.linear %q, %k, %v on %classes[marginal] feature_map(%phi)
      %o = tercet.combine sum(%exact, %rest)
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Scores:$scores, Tercet_KeepUnit:$keep_unit, Tercet_RuntimeFloat:$keep /*C1, C2*/,
                       OptionalAttr<Tercet_DropUnit>:$drop_unit, Optional<Tercet_RuntimeFloat>:$drop /*C1, C2*/,
                       Optional<Tercet_StaticKeyword>:$count_rule /*C3*/, Optional<Tercet_RuntimeInteger>:$min_keep /*C4*/,
                       Optional<Tercet_RuntimeInteger>:$sink /*C4*/, Optional<Tercet_StaticFlag>:$diagonal,
                       Optional<Tercet_StaticFlag>:$forced_counts);
  let results = (outs Tercet_Classes:$classes);
  let assemblyFormat = [{
    $scores `keep` $keep_unit `(` $keep `)` (`drop` $drop_unit^ `(` $drop `)`)? (`count` `(` $count_rule^ `)`)?
    (`min_keep` `(` $min_keep^ `)`)? (`sink` `(` $sink^ `)`)? (`diagonal` `(` $diagonal^ `)`)?
    (`forced_counts` `(` $forced_counts^ `)`)? attr-dict
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Tercet_SkipOp : Tercet_Op<"skip", [InSpec]> {
  let summary = "say that the blocks of these classes are not computed";
  let description = [{
    Out of the sparse part always; out of a linear part unless that names the class or its `over` takes it in.
    See docs/spec.md#skip.

    Example:
    ```mlir
    tercet.spec @skip(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %block = tercet.param block = 64 : !tercet.static<i64>
      %keep = tercet.param keep = 0.25 : !tercet.runtime<f64>
      %scores = tercet.pooled_scores %q, %k blocks(%block, %block)
      %classes = tercet.select %scores keep top_fraction(%keep)
      tercet.skip %classes[marginal]
      %o = tercet.sparse %q, %k, %v on %classes[critical]
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_Classes:$classes, Tercet_ClassSetAttr:$set);
  let assemblyFormat = "$classes `` custom<ClassSet>($set) attr-dict";
}

#endif
