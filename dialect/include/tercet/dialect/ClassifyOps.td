// select, block_set, pattern, skip: from scores and rules to block classes.
#ifndef TERCET_CLASSIFY_OPS_TD
#define TERCET_CLASSIFY_OPS_TD

include "tercet/dialect/TercetDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tercet_SelectOp : Tercet_Op<"select", [InSpec, Pure, AttrSizedOperandSegments]> {
  let summary = "classify the blocks of every row by score: critical, negligible, marginal";
  let description = [{
    Per row: the best `keep` of the candidates are critical, the worst `drop` of the others negligible, the rest marginal;
    ties go to the lowest index. A fraction of the n non-empty blocks becomes a count by `count` (floor, ceil or round);
    at least `min_keep`, at most `max_keep` are kept where keep > 0. `sink` forces the first key blocks, `diagonal` the
    blocks that meet the diagonal of token indices, `forced` those of a set; forced blocks are critical, beat `drop`, and
    use up `keep` only under `forced_counts`, and are out of P under `apart`. `forbidden` blocks are negligible unless they are forced. With P the softmax of
    a row of scores, `top_mass` keeps the fewest best blocks that hold this share of P, `within_mass` the most that do
    not hold more, `above` those with P at least this,
    `relative` those with P at least this share of the row's largest, `percentile` those whose score is at least this
    quantile. `scope` ranks over a row, a whole head, all heads of a batch entry, or rows of the sum of P over the query
    heads of a KV head; wider than a row by score where a rule does not use P, or under `by_share` by P. `budgets` holds the
    amount of keep per head. See docs/spec.md#select.

    | label | applies to             | rule                                                                |
    |-------|------------------------|---------------------------------------------------------------------|
    | C1    | `keep`, `drop`         | shares lie in [0, 1], counts are integers >= 0                      |
    | C2    | `keep`, `drop`         | two fractions add up to at most 1                                   |
    | C3    | `count`                | floor, ceil or round                                                |
    | C4    | `min_keep`, `max_keep`, `sink` | >= 0                                                        |
    | C5    | `scope`                | row, head, all_heads or group                                       |
    | C6    | `budgets`              | an argument of type table<[head], f32>                              |
    | C7    | `forced`, `forbidden`  | come from `tercet.block_set` with the blocks of the scores          |
    | C8    | `apart`                | not with the scope group                                            |

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
                       Optional<Tercet_RuntimeInteger>:$max_keep /*C4*/, Optional<Tercet_RuntimeInteger>:$sink /*C4*/,
                       Optional<Tercet_StaticFlag>:$diagonal, Optional<Tercet_StaticFlag>:$forced_counts,
                       Optional<Tercet_StaticFlag>:$apart /*C8*/, Optional<Tercet_StaticFlag>:$by_share,
                       Optional<Tercet_StaticKeyword>:$scope /*C5, C8*/, Optional<Tercet_Table>:$budgets /*C6*/,
                       Optional<Tercet_Mask>:$mask, Optional<Tercet_BlockSet>:$forced /*C7*/,
                       Optional<Tercet_BlockSet>:$forbidden /*C7*/);
  let results = (outs Tercet_Classes:$classes);
  let assemblyFormat = [{
    $scores `keep` $keep_unit `(` $keep `)` (`drop` $drop_unit^ `(` $drop `)`)? (`count` `(` $count_rule^ `)`)?
    (`min_keep` `(` $min_keep^ `)`)? (`max_keep` `(` $max_keep^ `)`)? (`sink` `(` $sink^ `)`)?
    (`diagonal` `(` $diagonal^ `)`)? (`forced_counts` `(` $forced_counts^ `)`)? (`apart` `(` $apart^ `)`)?
    (`by_share` `(` $by_share^ `)`)? (`scope` `(` $scope^ `)`)?
    (`budgets` `(` $budgets^ `:` type($budgets) `)`)? (`mask` `(` $mask^ `)`)? (`forced` `(` $forced^ `)`)?
    (`forbidden` `(` $forbidden^ `)`)? attr-dict
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Tercet_BlockSetOp : Tercet_Op<"block_set", [InSpec, Pure]> {
  let summary = "a set of block pairs by rule: windows, strides, segments, neighbourhoods";
  let description = [{
    The region gets batch, query head, query block and key block, and yields whether the pair is in the set. See
    docs/spec.md#block_set.

    | label | applies to           | rule                                                              |
    |-------|----------------------|-------------------------------------------------------------------|
    | C1    | `block_q`, `block_k` | multiples of 16 from 16 to 256; `block_q` also 1, 2, 4 or 8       |
    | C2    | `body`               | gets four indices and yields one i1                               |
    | C3    | `body`               | as mask C2                                                        |

    Example: the first key block, and a band of two blocks around the diagonal.
    ```mlir
    tercet.spec @streaming(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %block = tercet.param block = 64 : !tercet.static<i64>
      %band = tercet.block_set blocks(%block, %block) {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %zero = arith.constant 0 : index
        %two = arith.constant 2 : index
        %first = arith.cmpi eq, %j, %zero : index
        %back = arith.subi %i, %j : index
        %ahead = arith.subi %j, %i : index
        %distance = arith.maxsi %back, %ahead : index
        %near = arith.cmpi sle, %distance, %two : index
        %member = arith.ori %first, %near : i1
        tercet.yield %member : i1
      }
      %classes = tercet.pattern %band
      tercet.skip %classes[marginal]
      %o = tercet.sparse %q, %k, %v on %classes[critical]
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_StaticInteger:$block_q /*C1*/, Tercet_StaticInteger:$block_k /*C1*/);
  let results = (outs Tercet_BlockSet:$set);
  let regions = (region SizedRegion<1>:$body /*C2, C3*/);
  let assemblyFormat = "`blocks` `(` $block_q `,` $block_k `)` attr-dict-with-keyword $body";
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Tercet_PatternOp : Tercet_Op<"pattern", [InSpec, Pure]> {
  let summary = "classify blocks by a rule alone: critical in the set, marginal outside";
  let description = [{
    Under a mask, partial blocks are critical wherever they lie, and empty blocks are in no class. See docs/spec.md#pattern.

    | label | applies to | rule                                   |
    |-------|------------|----------------------------------------|
    | C1    | `set`      | comes from `tercet.block_set`          |

    Example: blocks at the same offset in a frame of eight, for every frame.
    ```mlir
    tercet.spec @same_offset(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
      %block = tercet.param block = 64 : !tercet.static<i64>
      %column = tercet.block_set blocks(%block, %block) {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %frame = arith.constant 8 : index
        %x = arith.remsi %i, %frame : index
        %y = arith.remsi %j, %frame : index
        %member = arith.cmpi eq, %x, %y : index
        tercet.yield %member : i1
      }
      %classes = tercet.pattern %column
      tercet.skip %classes[marginal]
      %o = tercet.sparse %q, %k, %v on %classes[critical]
      tercet.return %o
    }
    ```
  }];
  let arguments = (ins Tercet_BlockSet:$set /*C1*/, Optional<Tercet_Mask>:$mask);
  let results = (outs Tercet_Classes:$classes);
  let assemblyFormat = "$set (`mask` `(` $mask^ `)`)? attr-dict";
  let hasVerifier = 1;
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
