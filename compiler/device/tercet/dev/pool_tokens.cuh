// Pools of tokens: means or weighted sums of runs of them, rounded to their type (docs/spec.md#compressed).
#pragma once

#include "tercet/dev/global.cuh"
#include "tercet/dev/group.cuh"

namespace tercet::dev {

/// The weights of the tokens of a pool; a null pointer for a mean. An index beyond an axis takes its last entry.
struct PoolWeights {
  const float *first;
  index entries, stride;
  TERCET_DEVICE float of(index token) const { return __ldg(first + smaller(token, entries - 1) * stride); }
};

/// Those of a head in a table by head and token; a null table for means.
TERCET_DEVICE PoolWeights weights_of_head(const float *table, index heads, index entries, index head_stride,
                                          index stride, index head) {
  return {table == nullptr ? nullptr : table + smaller(head, heads - 1) * head_stride, entries, stride};
}

/// Columns c, c + 1 of the sum of tokens first .. first + live - 1, in f32 in their order; of their mean without weights; 0
/// where no token is live.
template <class Element, int COLS>
TERCET_DEVICE float2 pooled_pair(Rows<const Element, COLS> tokens, int c, index first, index live,
                                 PoolWeights weights) {
  float2 sum = {0, 0};
#pragma unroll 4
  for (index t = 0; t < live; ++t) {
    const float2 x = load_pair(tokens.row(first + t) + c);
    const float weight = weights.first == nullptr ? 1.0f : weights.of(t);
    sum.x = fmaf(weight, x.x, sum.x);
    sum.y = fmaf(weight, x.y, sum.y);
  }
  const float count = weights.first != nullptr || live <= 0 ? 1.0f : static_cast<float>(live);
  return {sum.x / count, sum.y / count};
}

/// The pools of a block of THREADS threads, a thread per two columns of one. Pool p of head gr of a group stands for the
/// LENGTH tokens from p * STRIDE on and lies at [gr][p] of `pools`. lengths: of batches, or null; under TILES the tokens of
/// pools, as a token order clips them. table: null for means, or weights by head and token.
template <int THREADS, class Element, int COLS, int LENGTH, int STRIDE, bool TILES>
TERCET_DEVICE void pool_tokens(index part, index gr, Element *tokens, index batch_stride, index head_stride,
                               index row_stride, const i32 *lengths, index key_heads, index heads_per_key_head,
                               index count, index first_pair, const float *table, index table_heads,
                               index table_entries, index table_head_stride, index table_stride, Element *pools) {
  constexpr int pairs = COLS / 2, in_block = THREADS / pairs;
  static_assert(COLS % 8 == 0 && in_block > 0, "a block of threads has a pool at least");
  const int thread = static_cast<int>(threadIdx.x);
  const index pool = part * in_block + thread / pairs, pools_of_head = ceil_div(count, STRIDE);
  if (thread >= in_block * pairs || pool >= pools_of_head)
    return;
  const GroupHead head = group_head(gr, first_pair, key_heads, heads_per_key_head);
  const index first = pool * STRIDE, left = TILES ? lengths[head.batch * pools_of_head + pool]
                                                  : live_tokens(lengths, head.batch, count) - first;
  const PoolWeights weights =
      weights_of_head(table, table_heads, table_entries, table_head_stride, table_stride, head.query_head);
  const Rows<const Element, COLS> rows = {tokens + head_offset(head.batch, batch_stride, head.query_head, head_stride),
                                          row_stride};
  const int c = 2 * (thread % pairs);
  const float2 pooled = pooled_pair(rows, c, first, smaller(left, LENGTH), weights);
  store_pair(pools + (gr * pools_of_head + pool) * COLS + c, pooled.x, pooled.y);
}

} // namespace tercet::dev
