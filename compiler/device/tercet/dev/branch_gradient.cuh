// Gradients of branches beside others: dO of a branch, pools to their tokens, and sums of gradients as outputs. A warp per row or
// token and 32 columns.
#pragma once

#include "tercet/dev/global.cuh"
#include "tercet/dev/group.cuh"
#include "tercet/dev/pool_tokens.cuh"

namespace tercet::dev {

/// Rows of a block of threads.
template <int THREADS> TERCET_DEVICE index row_of_thread(index part) { return part * (THREADS / 32) + warp(); }

/// A value as the sum of PLANES elements, `plane` apart.
template <int PLANES, class Element> TERCET_DEVICE void store_planes(Element *to, index plane, float value) {
#pragma unroll
  for (int p = 0; p < PLANES; ++p) {
    to[p * plane] = round_one<Element>(value);
    value -= to_float(to[p * plane]);
  }
}

/// Column `col` of row `row` of dO times `factor`, to [plane][head gr of `heads`][rows][COLS]; 0 at or beyond `live`.
template <int COLS, int PLANES, class Element, class Kept>
TERCET_DEVICE void gate_gradient(index row, index col, index gr, index heads, index rows, index live,
                                 Rows<Element, COLS> from, float factor, Kept *to) {
  if (row >= rows || col >= COLS)
    return;
  const float value = row < live ? to_float(from.row(row)[col]) * factor : 0.0f;
  store_planes<PLANES>(to + (gr * rows + row) * COLS + col, heads * rows * COLS, value);
}

/// The sums over POOL rows of gated [gr][rows][COLS], in their order, to [plane][gr][pools][COLS].
template <int THREADS, int COLS, int PLANES, int POOL, class Element>
TERCET_DEVICE void pool_gradients(index part, index gr, index chunk, index heads, index rows, const float *gated,
                                  Element *to) {
  const index pool = row_of_thread<THREADS>(part), pools = ceil_div(rows, POOL), col = 32 * chunk + lane();
  if (pool >= pools || col >= COLS)
    return;
  float sum = 0;
  for (index row = pool * POOL; row < smaller((pool + 1) * POOL, rows); ++row)
    sum += gated[(gr * rows + row) * COLS + col];
  store_planes<PLANES>(to + (gr * pools + pool) * COLS + col, heads * pools * COLS, sum);
}

/// The reverse of pool_tokens: of [owner][pools][COLS], what each token gets of its pools, to [owner][tokens][COLS]; under ADDS to what is
/// there. Tokens at or beyond the length get 0.
template <int THREADS, int COLS, int LENGTH, int STRIDE, bool TILES, bool ADDS>
TERCET_DEVICE void spread_pools(index part, index gr, index chunk, const float *pools, const i32 *lengths,
                                index key_heads, index heads_per_key_head, index count, index first_pair,
                                const float *table, index table_heads, index table_entries, index table_head_stride,
                                index table_stride, float *tokens) {
  const index token = row_of_thread<THREADS>(part), pools_of_head = ceil_div(count, STRIDE), col = 32 * chunk + lane();
  if (token >= count || col >= COLS)
    return;
  const GroupHead head = group_head(gr, first_pair, key_heads, heads_per_key_head);
  const PoolWeights weights =
      weights_of_head(table, table_heads, table_entries, table_head_stride, table_stride, head.query_head);
  const index live = TILES ? count : live_tokens(lengths, head.batch, count);
  float sum = 0;
  if (token < live)
    for (index pool = token < LENGTH ? 0 : quotient(token - LENGTH, STRIDE) + 1; pool * STRIDE <= token; ++pool) {
      const index in_pool = smaller(TILES ? lengths[head.batch * pools_of_head + pool] : live - pool * STRIDE, LENGTH);
      const float weight = weights.first != nullptr ? weights.of(token - pool * STRIDE)
                                                    : 1.0f / static_cast<float>(static_cast<int>(in_pool));
      sum = fmaf(weight, pools[(gr * pools_of_head + pool) * COLS + col], sum);
    }
  float *to = tokens + (gr * count + token) * COLS + col;
  *to = ADDS ? *to + sum : sum;
}

/// Rows of sums [owner][tokens][WIDTH] as COLS columns of a tensor.
template <int THREADS, int COLS, int WIDTH, class Element>
TERCET_DEVICE void store_sums(index part, index gr, index chunk, const float *sums, Element *to, index batch_stride,
                              index head_stride, index row_stride, index key_heads, index heads_per_key_head,
                              index count, index first_pair) {
  const index token = row_of_thread<THREADS>(part), col = 32 * chunk + lane();
  if (token >= count || col >= COLS)
    return;
  const GroupHead head = group_head(gr, first_pair, key_heads, heads_per_key_head);
  to[head_offset(head.batch, batch_stride, head.query_head, head_stride) + token * row_stride + col] =
      round_one<Element>(sums[(gr * count + token) * WIDTH + col]);
}

} // namespace tercet::dev
