// Selection over scopes wider than a row, in three kernels: keys of all rows; passes that count them; classes of rows by
// the cuts through all of them. And the shares of all rows, where heads are classified together.
#pragma once

#include "tercet/dev/scope_cut.cuh"
#include "tercet/dev/select.cuh"

namespace tercet::dev {

/// The shares of the rows of query blocks ROWS part .., to shares [gr][query blocks][key blocks].
template <int SOURCE, int ROWS, int D, int BLOCK_Q, int BLOCK_K, bool RULES, int SHARED>
TERCET_DEVICE void share_blocks(u8 *shared, index part, index gr, const float *mean_q, const float *mean_k,
                                double scale, const float *stored, index stored_batch, index stored_head,
                                index stored_row, index stored_col, float *shares, const i32 *query_lengths,
                                const i32 *key_lengths, index key_heads, index heads_per_key_head, index rows,
                                index keys, index first_pair, const i8 *rules) {
  static_assert(score_bytes<ROWS, D, false> <= SHARED, "means fit");
  const HeadRows<BLOCK_Q, BLOCK_K> of(gr, query_lengths, key_lengths, key_heads, heads_per_key_head, rows, keys,
                                      first_pair);
  const ScoreInputs scores = {mean_q, mean_k, scale, stored, stored_batch, stored_head, stored_row, stored_col};
  const BlockFacts facts = {0, rules, nullptr, nullptr, 0};
  each_row<SOURCE, ROWS, D, false>(shared, shares, of, part * ROWS, 1, scores, [&](index row, u32 *line) {
    const int count = static_cast<int>(of.key_blocks);
    const auto blocks = blocks_of_row<false, RULES, false>(of, row, facts, 1);
    const Weights<true> weights = weigh_row<true>(line, count, blocks);
    replace_scores(line, count, blocks, [&](u32 key, float score) {
      return __float_as_uint(key == empty_key ? 0.0f : weights.share(score));
    });
  });
}

/// The keys of the rows of query blocks ROWS part .., to spare, and what their scopes count before any pass. BY_SHARE: ranked by
/// shares, else by scores. scope_heads: heads of a scope, of which part of those of the group lie in one.
template <int SOURCE, int ROWS, int D, bool LOGITS, bool BY_SHARE, int BLOCK_Q, int BLOCK_K, int KEEP, bool DIAGONAL,
          bool RULES, bool GUARD, bool APART, int SHARED>
TERCET_DEVICE void rank_blocks(u8 *shared, index part, index gr, const float *mean_q, const float *mean_k, double scale,
                               const float *stored, index stored_batch, index stored_head, index stored_row,
                               index stored_col, float *spare, const i32 *query_lengths, const i32 *key_lengths,
                               index key_heads, index heads_per_key_head, index rows, index keys, index first_pair,
                               index sink, const i8 *rules, const float *alike_q, const float *alike_k, double guard,
                               index scope_heads, i32 *scope_counts) {
  static_assert(score_bytes<ROWS, D, false> <= SHARED, "means fit");
  const HeadRows<BLOCK_Q, BLOCK_K> of(gr, query_lengths, key_lengths, key_heads, heads_per_key_head, rows, keys,
                                      first_pair);
  const ScoreInputs scores = {mean_q, mean_k, scale, stored, stored_batch, stored_head, stored_row, stored_col};
  const BlockFacts facts = {sink, rules, alike_q, alike_k, static_cast<float>(guard)};
  ScopeCounts &scope = scopes_of(scope_counts)[static_cast<u32>(gr) / static_cast<u32>(scope_heads)];
  each_row<SOURCE, ROWS, D, false>(shared, spare, of, part * ROWS, 1, scores, [&](index row, u32 *line) {
    const int count = static_cast<int>(of.key_blocks);
    const auto blocks = blocks_of_row<DIAGONAL, RULES, GUARD>(of, row, facts, 1);
    Weights<LOGITS> weights = {};
    if (BY_SHARE)
      weights = weigh_row<LOGITS, APART>(line, count, blocks);
    u64 share = 0, forced_share = 0;
    float top = 0;
    const Census census = replace_scores(line, count, blocks, [&](u32 key, float score) {
      const float rank = BY_SHARE ? weights.share(score) : score;
      if (BY_SHARE && key != empty_key && !(APART && key == forced_key)) {
        top = fmaxf(top, rank);
        share += fixed_share(rank);
        forced_share += key == forced_key ? fixed_share(rank) : 0;
      }
      return key == first_rank ? key_of(rank) : key;
    });
    top = warp_max(top);
    share = warp_add(share);
    forced_share = warp_add(forced_share);
    if (lane() == 0) {
      atomicAdd(&scope.blocks, static_cast<u64>(census.blocks));
      atomicAdd(&scope.forced, static_cast<u64>(census.forced));
      atomicAdd(&scope.candidates, static_cast<u64>(census.candidates));
      if (BY_SHARE) {
        atomicAdd(&scope.share, share);
        atomicAdd(&scope.forced_share, forced_share);
        atomicMax(&scope.top, static_cast<u64>(__float_as_uint(top)));
      }
    }
  });
}

/// The scope of rows of keys: how many heads it has, of which `first` is the first one's number among its batch entry's.
template <int BLOCK_Q, int BLOCK_K> struct Scope {
  index heads, first, rows, key_blocks;

  TERCET_DEVICE Scope(index s, index heads, index key_heads, index heads_per_key_head, index rows, index keys,
                      index first_pair)
      : heads(heads), first(group_head(s * heads, first_pair, key_heads, heads_per_key_head).query_head),
        rows(heads * ceil_div(rows, BLOCK_Q)), key_blocks(ceil_div(keys, BLOCK_K)) {}
};

/// The keys of candidates in rows first .. end - 1 of a scope, by a block of `digits` threads.
struct ScopeKeys {
  const float *base;
  index key_blocks, first, end;

  /// body(key, row) for each of them, one per thread.
  template <class Body> TERCET_DEVICE void each(Body body) const {
    for (index row = first + warp(); row < end; row += digits / 32)
      for (index j = lane(); j < key_blocks; j += 32)
        if (const u32 key = __float_as_uint(base[row * key_blocks + j]); key >= first_rank)
          body(key, row);
  }
};

/// Shared memory of count_keys.
enum : int { count_bytes = 2 * digits * sizeof(u64) };

/// Pass `pass` over rows ROWS part .. ROWS part + ROWS - 1 of scope s; keys [scopes][rows][key blocks]. THREADS = digits.
template <int ROWS, int BLOCK_Q, int BLOCK_K, int KEEP, int ROUNDING, bool DROP_COUNT, bool FORCED_COUNTS, int SHARED>
TERCET_DEVICE void count_keys(u8 *shared, index part, index s, index pass, const float *spare, index scope_heads,
                              index key_heads, index heads_per_key_head, index rows, index keys, index first_pair,
                              double keep, double drop, index min_keep, index max_keep, const float *budgets,
                              index budget_stride, i32 *scope_counts) {
  static_assert(count_bytes <= SHARED, "counts fit");
  using Rule = KeepRule<KEEP, ROUNDING, DROP_COUNT, FORCED_COUNTS>;
  const Scope<BLOCK_Q, BLOCK_K> scope(s, scope_heads, key_heads, heads_per_key_head, rows, keys, first_pair);
  Rule rule = {keep, drop, min_keep, max_keep};
  rule.take_budgets(budgets, budget_stride, scope.first, static_cast<int>(scope.heads));
  ScopeCounts &counted = scopes_of(scope_counts)[s];
  const ScopeSearch<Rule> search = {counted, rule};
  u64(*to)[digits] = counted.counts[pass];
  u64(*here)[digits] = reinterpret_cast<u64(*)[digits]>(shared);
  here[0][threadIdx.x] = here[1][threadIdx.x] = 0;
  __syncthreads();

  const ScopeKeys own = {spare + s * scope.rows * scope.key_blocks, scope.key_blocks, part * ROWS,
                         smaller((part + 1) * ROWS, scope.rows)};
  const int step = static_cast<int>(pass) - named_passes<Rule>();
  if (named_passes<Rule>() == 1 && step < 0) {
    const float unit = KEEP == keep_relative ? __uint_as_float(static_cast<u32>(counted.top)) : 1.0f;
    const float bound = static_cast<float>(rule.keep * unit);
    u64 reaching = 0;
    own.each([&](u32 key, index) { reaching += score_of(key) >= bound; });
    atomicAdd(&here[0][0], reaching);
  } else if (named_passes<Rule>() == key_passes && step < 0) {
    const u64 found = search.named(static_cast<int>(pass)).found;
    const int shift = 8 * (key_passes - 1 - static_cast<int>(pass));
    own.each([&](u32 key, index) {
      if (static_cast<u64>(key) >> shift >> 8 != found)
        return;
      atomicAdd(&here[0][key >> shift & 255], 1ull);
      if (Rule::by_mass)
        atomicAdd(&here[1][key >> shift & 255], fixed_share(score_of(key)));
    });
  } else {
    CutSearch cuts[2];
    search.cuts(step, cuts);
    const bool of_rows = step >= key_passes;
    if (of_rows && !cuts[0].splits() && !cuts[1].splits())
      return;
    const int shift = 8 * ((of_rows ? cut_passes : key_passes) - 1 - step);
    own.each([&](u32 key, index row) {
      const u32 number = of_rows ? static_cast<u32>(last_row - row) : key;
#pragma unroll
      for (int side = 0; side < 2; ++side)
        if (static_cast<u64>(number) >> shift >> 8 == cuts[side].digits.found && (!of_rows || key == cuts[side].key))
          atomicAdd(&here[side][number >> shift & 255], 1ull);
    });
  }
  __syncthreads();
#pragma unroll
  for (int side = 0; side < 2; ++side)
    if (const u64 counted = here[side][threadIdx.x]; counted != 0)
      atomicAdd(&to[side][threadIdx.x], counted);
}

/// The classes of query blocks ROWS part .. of head gr, one warp each, once all passes are over. keys_first: the pair of the
/// group's first, counted from the first whose keys are in `spare`.
template <int ROWS, int BITS, int BLOCK_Q, int BLOCK_K, int KEEP, int ROUNDING, bool DROP_COUNT, bool FORCED_COUNTS>
TERCET_DEVICE void classify_blocks(index part, index gr, index keys_first, const float *spare, index scope_heads,
                                   const i32 *query_lengths, const i32 *key_lengths, index key_heads,
                                   index heads_per_key_head, index rows, index keys, index first_pair, double keep,
                                   double drop, index min_keep, index max_keep, const float *budgets,
                                   index budget_stride, i32 *scope_counts, i32 *lists, i32 *counts, i32 *bits,
                                   i32 *mean_bits, i8 *map, index map_batch, index map_head, index map_row) {
  using Rule = KeepRule<KEEP, ROUNDING, DROP_COUNT, FORCED_COUNTS>;
  const HeadRows<BLOCK_Q, BLOCK_K> of(gr, query_lengths, key_lengths, key_heads, heads_per_key_head, rows, keys,
                                      first_pair);
  const index row = part * ROWS + warp();
  if (row >= of.query_blocks)
    return;
  const u32 member = static_cast<u32>(keys_first * heads_per_key_head + gr), s = member / static_cast<u32>(scope_heads);
  const Scope<BLOCK_Q, BLOCK_K> scope(s, scope_heads, key_heads, heads_per_key_head, rows, keys,
                                      first_pair - keys_first);
  Rule rule = {keep, drop, min_keep, max_keep};
  rule.take_budgets(budgets, budget_stride, scope.first, static_cast<int>(scope.heads));
  CutSearch cuts[2];
  ScopeSearch<Rule>{scopes_of(scope_counts)[s], rule}.cuts(cut_passes, cuts);
  const index line = member * of.query_blocks + row, in_scope = line - s * scope.rows;
  const ClassOutputs to = {lists, counts, bits, mean_bits, map, map_batch, map_head, map_row};
  ClassRow<BITS> out(to, of, row);
  classify_row(reinterpret_cast<const u32 *>(spare) + line * of.key_blocks, cuts[0].cut().of(in_scope),
               cuts[1].cut().of(in_scope), nullptr, out);
}

} // namespace tercet::dev
