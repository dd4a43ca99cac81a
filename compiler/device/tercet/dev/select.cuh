// Selection: block scores of a few query blocks, and the classes of their rows (docs/spec.md#select).
//
// Scores become integers of the same order, in shared memory where a row fits. A warp finds the key of a rank bit by
// bit, counting the keys from a bound up, and gives ties to the lowest index on both sides.
#pragma once

#include "tercet/dev/class_row.cuh"
#include "tercet/dev/number.cuh"

namespace tercet::dev {

/// How a fraction of n blocks becomes a count; tercet/Builtins.h has the same order.
enum : int { count_floor = 0, count_ceil = 1, count_round = 2 };

/// floor(r n + 1e-9 n), ceil(r n - 1e-9 n) or floor(r n + 0.5), or the amount itself; within [0, n].
template <int RULE, bool IS_COUNT> TERCET_DEVICE index block_count(double amount, index n) {
  const double blocks = static_cast<double>(n), slack = __dmul_rn(1e-9, blocks), product = __dmul_rn(amount, blocks);
  double count = amount;
  if (!IS_COUNT)
    count = RULE == count_floor  ? floor(__dadd_rn(product, slack))
            : RULE == count_ceil ? ceil(__dadd_rn(product, -slack))
                                 : floor(__dadd_rn(product, 0.5));
  return count <= 0 ? 0 : count >= blocks ? n : static_cast<index>(count);
}

/// A score as an integer of the same order: -0 equals 0, NaN lies below -infinity. 0 is no key.
TERCET_DEVICE u32 key_of(float score) {
  const int bits = __float_as_int(score), magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return 1;
  return static_cast<u32>(bits < 0 ? -magnitude : magnitude) ^ 0x80000000u;
}

/// How many keys are at least `bound`; the same in all lanes.
TERCET_DEVICE int count_from(const u32 *keys, int count, u32 bound) {
  int total = 0;
  for (int j = static_cast<int>(lane()); j < count; j += 32)
    total += keys[j] >= bound;
  return warp_add(total);
}

/// The largest key with at least `wanted` keys from it up, and how many those are; 1 <= wanted.
struct Cut {
  u32 key;
  int reached;
};
TERCET_DEVICE Cut find_cut(const u32 *keys, int count, int wanted) {
  Cut cut = {0, count};
#pragma unroll 1
  for (u32 bit = 0x80000000u; bit != 0; bit >>= 1) {
    const int reached = count_from(keys, count, cut.key | bit);
    if (reached >= wanted)
      cut = {cut.key | bit, reached};
  }
  return cut;
}

/// What a row is classified by. Key blocks below `sink` and from diagonal_begin to diagonal_end are forced.
struct RowRule {
  int live, kept, dropped, sink, diagonal_begin, diagonal_end;
  TERCET_DEVICE bool is_candidate(index j) const {
    return j < live && j >= sink && !(j >= diagonal_begin && j < diagonal_end);
  }
};

/// Classes of one row from its keys; blocks that are no candidates have key 0.
template <int BITS> TERCET_DEVICE void classify_row(const u32 *keys, const RowRule &rule, ClassRow<BITS> &out) {
  const int candidates = count_from(keys, rule.live, 1);
  const int kept = min(max(rule.kept, 0), candidates), dropped = min(max(rule.dropped, 0), candidates - kept);
  const Cut best = kept > 0 ? find_cut(keys, rule.live, kept) : Cut{0xffffffffu, 0};
  const Cut rest = dropped < candidates ? find_cut(keys, rule.live, candidates - dropped) : Cut{0xffffffffu, 0};
  int kept_ties = kept - (kept > 0 ? count_from(keys, rule.live, best.key + 1) : 0);
  int dropped_ties = dropped - (candidates - rest.reached);
  for (index first = 0; first < out.key_blocks; first += 32) {
    const index j = first + lane();
    const bool live = j < rule.live;
    const u32 key = live ? keys[j] : 0;
    const u32 equal = __ballot_sync(whole_warp, kept > 0 && key != 0 && key == best.key);
    const bool tied = (equal >> lane() & 1) != 0 && __popc(equal & lanes_before()) < kept_ties;
    kept_ties -= __popc(equal);
    const bool critical = live && (key == 0 || tied || (kept > 0 && key > best.key));
    const u32 low = __ballot_sync(whole_warp, live && !critical && key == rest.key);
    const bool low_tied = (low >> lane() & 1) != 0 && __popc(low & lanes_before()) < dropped_ties;
    dropped_ties -= __popc(low);
    const bool negligible = !critical && (key < rest.key || low_tied);
    out.put(first, critical ? 1 : negligible ? -1 : 0, live);
  }
  out.finish();
}

/// Keys that fit beside each other into shared memory, and the shared memory of select_blocks in bytes.
enum : int { select_keys = 16384 };
template <int ROWS, int D> constexpr int select_bytes = 4 * (ROWS * D + select_keys) + ROWS * sizeof(RowRule);

/// Query blocks ROWS part .. of head gr: scores mean_q . mean_k * scale, and their classes. mean_q [gr][query
/// blocks][D], mean_k [g][D][key blocks]. spare: f32 [gr][query blocks][key blocks] where a row has more than select_keys
/// blocks. One warp per row; THREADS = 32 ROWS.
template <int ROWS, int D, int BITS, int BLOCK_Q, int BLOCK_K, int RULE, bool KEEP_COUNT, bool DROP_COUNT,
          bool DIAGONAL, bool FORCED_COUNTS, int SHARED>
TERCET_DEVICE void select_blocks(u8 *shared, index part, index gr, const float *mean_q, const float *mean_k,
                                 float *spare, const i32 *query_lengths, const i32 *key_lengths, index key_heads,
                                 index heads_per_key_head, index rows, index keys, index first_pair, double scale,
                                 double keep, double drop, index min_keep, index sink, i32 *lists, i32 *counts,
                                 i32 *bits, i8 *map, index map_batch, index map_head, index map_row) {
  static_assert(select_bytes<ROWS, D> <= SHARED, "means, rules and keys fit");
  const GroupHead head = group_head(gr, first_pair, key_heads, heads_per_key_head);
  const index query_blocks = ceil_div(rows, BLOCK_Q), key_blocks = ceil_div(keys, BLOCK_K);
  const index live_rows = live_tokens(query_lengths, head.batch, rows);
  const index live_keys = live_tokens(key_lengths, head.batch, keys);
  const index first_row = part * ROWS, g = static_cast<u32>(gr) / static_cast<u32>(heads_per_key_head);
  const int thread = static_cast<int>(threadIdx.x);
  const ClassOutputs to = {lists, counts, bits, map, map_batch, map_head, map_row};
  float *means = reinterpret_cast<float *>(shared);
  for (int i = thread; i < ROWS * D; i += 32 * ROWS)
    means[i] = first_row + i / D < query_blocks ? mean_q[(gr * query_blocks + first_row) * D + i] : 0.0f;

  RowRule *rules = reinterpret_cast<RowRule *>(means + ROWS * D);
  if (thread < ROWS) {
    const index row = first_row + thread;
    RowRule rule = {static_cast<int>(row * BLOCK_Q < live_rows ? ceil_div(live_keys, BLOCK_K) : 0), 0, 0, 0, 0, 0};
    rule.kept = static_cast<int>(block_count<RULE, KEEP_COUNT>(keep, rule.live));
    if (keep > 0)
      rule.kept = static_cast<int>(smaller(larger(rule.kept, min_keep), rule.live));
    rule.dropped = static_cast<int>(block_count<RULE, DROP_COUNT>(drop, rule.live));
    rule.sink = static_cast<int>(smaller(larger(sink, 0), rule.live));
    if (DIAGONAL) {
      const index begin = row * BLOCK_Q, end = smaller(smaller(begin + BLOCK_Q, live_rows), live_keys);
      rule.diagonal_begin = static_cast<int>(begin / BLOCK_K);
      rule.diagonal_end = begin < end ? static_cast<int>((end - 1) / BLOCK_K + 1) : rule.diagonal_begin;
    }
    rules[thread] = rule;
  }

  // As many rows at a time as have their keys in shared memory.
  int together = ROWS;
  u32 *row_keys = reinterpret_cast<u32 *>(rules + ROWS);
  if (key_blocks > select_keys)
    row_keys = reinterpret_cast<u32 *>(spare) + (gr * query_blocks + first_row) * key_blocks;
  else
    while (together * key_blocks > select_keys)
      together /= 2;
  __syncthreads();
  for (int base = 0; base < ROWS && first_row + base < query_blocks; base += together) {
    const int count = static_cast<int>(min(static_cast<index>(together), query_blocks - first_row - base));
    for (index j = thread; j < key_blocks; j += 32 * ROWS) {
      float sums[ROWS] = {};
#pragma unroll 4
      for (int d = 0; d < D; ++d) {
        const float x = mean_k[(g * D + d) * key_blocks + j];
#pragma unroll
        for (int r = 0; r < ROWS; ++r)
          if (r < count)
            sums[r] = fmaf(means[(base + r) * D + d], x, sums[r]);
      }
#pragma unroll
      for (int r = 0; r < ROWS; ++r)
        if (r < count)
          row_keys[r * key_blocks + j] =
              rules[base + r].is_candidate(j) ? key_of(sums[r] * static_cast<float>(scale)) : 0;
    }
    __syncthreads();
    if (const int r = static_cast<int>(warp()); r < count) {
      const index row = first_row + base + r;
      RowRule rule = rules[base + r];
      if (FORCED_COUNTS)
        rule.kept -= rule.live - count_from(row_keys + r * key_blocks, rule.live, 1);
      ClassRow<BITS> out(to, head, gr, row, query_blocks, key_blocks);
      classify_row(row_keys + r * key_blocks, rule, out);
    }
    __syncthreads();
    if (key_blocks > select_keys)
      row_keys += together * key_blocks;
  }
}

} // namespace tercet::dev
