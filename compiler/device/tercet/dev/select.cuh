// Selection over rows: the classes of every row of blocks by its own scores (docs/spec.md#select).
#pragma once

#include "tercet/dev/class_row.cuh"
#include "tercet/dev/rank_row.cuh"
#include "tercet/dev/score_rows.cuh"

namespace tercet::dev {

/// Measures 1 for keys that weigh at least `bound`.
template <bool LOGITS> struct ByReach {
  Weights<LOGITS> weights;
  float bound;
  TERCET_DEVICE int of(u32 key) const { return weights.of(score_of(key)) >= bound; }
};

/// How many candidates of a row a rule of keep names; 0 for fractions and counts. forced: what forced blocks that are not
/// partial weigh.
template <class Rule, bool LOGITS>
TERCET_DEVICE int named_in_row(const u32 *keys, int count, const Rule &rule, int candidates,
                               const Weights<LOGITS> &weights, float forced) {
  if (Rule::by_mass) {
    const double wanted = rule.wanted_weight(weights.total, forced);
    const float weight = static_cast<float>(wanted);
    if (wanted <= 0 || candidates == 0)
      return 0;
    const ByWeight<LOGITS> measure = {weights};
    const u32 key = find_key(keys, count, weight, measure);
    if (key == 0)
      return candidates;
    const int above = count_from(keys, count, key + 1), ties = count_from(keys, count, key) - above;
    const float missing = weight - sum_from(keys, count, key + 1, measure);
    const float last = fminf(ceilf(missing / measure.of(key)), static_cast<float>(ties));
    return above + static_cast<int>(last) - (Rule::keeps == keep_within);
  }
  if (Rule::keeps == keep_above || Rule::keeps == keep_relative) {
    const double unit = Rule::keeps == keep_relative ? weights.of(weights.top) : weights.unit();
    const ByReach<LOGITS> measure = {weights, static_cast<float>(rule.keep * unit)};
    return sum_from(keys, count, first_rank, measure);
  }
  if (Rule::keeps == keep_percentile && candidates > 0) {
    const int rank = static_cast<int>(rule.percentile_rank(candidates));
    return count_from(keys, count, find_key(keys, count, rank, ByCount()));
  }
  return 0;
}

/// The classes of a row of keys. Critical: forced blocks and those that the cut `best` takes; negligible: forbidden ones, and
/// of the others those below `low` and of those equal to it the first ones, up to the low.ties-th. own: null, or the rule
/// bytes of this head, where several share the row.
template <int BITS>
TERCET_DEVICE void classify_row(const u32 *keys, Cut best, Cut low, const i8 *own, ClassRow<BITS> &out) {
  for (index first = 0; first < out.key_blocks; first += 32) {
    const index j = first + lane();
    const bool inside = j < out.key_blocks;
    const u32 key = inside ? keys[j] : static_cast<u32>(empty_key);
    const u32 rule = key == empty_key           ? rule_empty
                     : own != nullptr && inside ? static_cast<u32>(own[j])
                     : key == partial_key       ? rule_partial
                                                : 0;
    const u32 level = __ballot_sync(whole_warp, key == best.key), low_level = __ballot_sync(whole_warp, key == low.key);
    const bool kept = key > best.key || (key == best.key && __popc(level & lanes_before()) < best.ties);
    const bool worst = key < low.key || (key == low.key && __popc(low_level & lanes_before()) < low.ties);
    best.ties -= __popc(level);
    low.ties -= __popc(low_level);
    const bool critical = key == partial_key || key == forced_key || (key >= first_rank && kept);
    const int value = critical ? 1 : key < first_rank || worst ? -1 : 0;
    out.put(first, value, (rule & rule_empty) == 0, (rule & rule_partial) == 0);
  }
  out.finish();
}

/// Query blocks ROWS part .. ROWS part + ROWS - 1 of head gr, one warp each; THREADS = 32 ROWS. Scores come from SOURCE, as
/// LOGITS or as shares. spare: f32 [gr][query blocks][key blocks] where a row has more than select_keys blocks. budgets:
/// null, or an amount of keep per head.
template <int SOURCE, int ROWS, int D, bool LOGITS, int BITS, int BLOCK_Q, int BLOCK_K, int KEEP, int ROUNDING,
          bool DROP_COUNT, bool FORCED_COUNTS, bool DIAGONAL, bool RULES, bool GUARD, bool APART, int SHARED>
TERCET_DEVICE void select_blocks(u8 *shared, index part, index gr, const float *mean_q, const float *mean_k,
                                 double scale, const float *stored, index stored_batch, index stored_head,
                                 index stored_row, index stored_col, float *spare, const i32 *query_lengths,
                                 const i32 *key_lengths, index key_heads, index heads_per_key_head, index rows,
                                 index keys, index first_pair, index sink, const i8 *rules, const float *alike_q,
                                 const float *alike_k, double guard, double keep, double drop, index min_keep,
                                 index max_keep, const float *budgets, index budget_stride, i32 *lists, i32 *counts,
                                 i32 *bits, i32 *mean_bits, i8 *map, index map_batch, index map_head, index map_row) {
  static_assert(score_bytes<ROWS, D, true> <= SHARED, "means and keys fit");
  using Of = HeadRows<BLOCK_Q, BLOCK_K>;
  constexpr bool by_group = SOURCE == from_heads;
  const Of of(gr, query_lengths, key_lengths, key_heads, heads_per_key_head, rows, keys, first_pair);
  const int heads = by_group ? static_cast<int>(heads_per_key_head) : 1;
  const Of leader(by_group ? of.g * heads_per_key_head : gr, query_lengths, key_lengths, key_heads, heads_per_key_head,
                  rows, keys, first_pair);
  const ScoreInputs scores = {mean_q, mean_k, scale, stored, stored_batch, stored_head, stored_row, stored_col};
  const BlockFacts facts = {sink, rules, alike_q, alike_k, static_cast<float>(guard)};
  const ClassOutputs to = {lists, counts, bits, mean_bits, map, map_batch, map_head, map_row};
  KeepRule<KEEP, ROUNDING, DROP_COUNT, FORCED_COUNTS> rule = {keep, drop, min_keep, max_keep};
  rule.take_budgets(budgets, budget_stride, leader.head.query_head, heads);

  each_row<SOURCE, ROWS, D, true>(shared, spare, of, part * ROWS, heads, scores, [&](index row, u32 *keys) {
    const int count = static_cast<int>(of.key_blocks);
    const auto blocks = blocks_of_row<DIAGONAL, RULES, GUARD>(leader, row, facts, heads);
    Weights<LOGITS> weights = {};
    float forced = 0;
    if (rule.weighs)
      weights = weigh_row<LOGITS, APART>(keys, count, blocks);
    const Census census = replace_scores(keys, count, blocks, [&](u32 key, float score) {
      if (rule.by_mass && FORCED_COUNTS && !APART && key == forced_key)
        forced += weights.of(score);
      return key == first_rank ? key_of(score) : key;
    });
    if (rule.by_mass && FORCED_COUNTS)
      forced = warp_add(forced);
    const int candidates = static_cast<int>(census.candidates);
    const int kept = static_cast<int>(rule.kept(census, named_in_row(keys, count, rule, candidates, weights, forced)));
    const int dropped = static_cast<int>(rule.dropped(census, kept));
    const Cut best = cut_above(keys, count, kept), low = cut_below(keys, count, candidates, dropped, best);
    ClassRow<BITS> out(to, of, row);
    const i8 *own = by_group && RULES ? rules + of.line(row) * of.key_blocks : nullptr;
    classify_row(keys, best, low, own, out);
  });
}

} // namespace tercet::dev
