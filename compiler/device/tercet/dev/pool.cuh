// Means of blocks of tokens, in f32: queries for the block scores, keys for them and for block means.
#pragma once

#include "tercet/dev/global.cuh"
#include "tercet/dev/group.cuh"

namespace tercet::dev {

/// Means of the columns of rows first .. first + live - 1 (0 if none), by all THREADS of the block; put(column, mean)
/// stores them. Sums run in a fixed order. shared: 32 THREADS bytes.
template <int THREADS, class Element, int COLS, class Put>
TERCET_DEVICE void mean_of_rows(u8 *shared, Rows<Element, COLS> rows, index first, index live, Put put) {
  constexpr int pairs = COLS / 2, groups = THREADS / pairs > 0 ? THREADS / pairs : 1;
  static_assert(COLS % 8 == 0 && groups * COLS * 4 <= 32 * THREADS, "the sums of all threads fit");
  float *sums = reinterpret_cast<float *>(shared);
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = thread; i < groups * pairs; i += THREADS) {
    const int group = i / pairs, pair = i % pairs;
    float2 sum = {0, 0};
    for (index r = group; r < live; r += groups) {
      const float2 x = load_pair(rows.row(first + r) + 2 * pair);
      sum.x += x.x;
      sum.y += x.y;
    }
    sums[group * COLS + 2 * pair] = sum.x;
    sums[group * COLS + 2 * pair + 1] = sum.y;
  }
  __syncthreads();
  const float count = static_cast<float>(live > 0 ? live : 1);
  for (int c = thread; c < COLS; c += THREADS) {
    float sum = 0;
    for (int group = 0; group < groups; ++group)
      sum += sums[group * COLS + c];
    put(c, sum / count);
  }
  __syncthreads();
}

/// Query block `block` of head gr of a group: means [gr][blocks][COLS].
template <int THREADS, class Element, int COLS, int BLOCK, bool TILES = false>
TERCET_DEVICE void pool_queries(u8 *shared, index block, index gr, Element *q, index batch_stride, index head_stride,
                                index row_stride, const i32 *lengths, index key_heads, index heads_per_key_head,
                                index tokens, index first_pair, float *means) {
  const GroupHead head = group_head(gr, first_pair, key_heads, heads_per_key_head);
  const index live = tokens_of_block<BLOCK, TILES>(lengths, head.batch, tokens, block);
  const Rows<Element, COLS> rows = {q + head_offset(head.batch, batch_stride, head.query_head, head_stride),
                                    row_stride};
  float *to = means + (gr * ceil_div(tokens, BLOCK) + block) * COLS;
  mean_of_rows<THREADS>(shared, rows, block * BLOCK, live, [&](int c, float mean) { to[c] = mean; });
}

/// Key block `block` of pair g: means transposed, [g][COLS][blocks], as block scores read them; and as rows
/// [PLANES][pairs][blocks][COLS] of the element type, each plane what rounding left of those before it. A null `means` or
/// `rounded` is not wanted.
template <int THREADS, class Element, int COLS, int BLOCK, int PLANES, bool TILES = false>
TERCET_DEVICE void pool_keys(u8 *shared, index block, index g, index pairs, Element *k, index batch_stride,
                             index head_stride, index row_stride, const i32 *lengths, index key_heads, index tokens,
                             index first_pair, float *means, Element *rounded) {
  const GroupHead head = group_head(g, first_pair, key_heads, 1);
  const index live = tokens_of_block<BLOCK, TILES>(lengths, head.batch, tokens, block);
  const index blocks = ceil_div(tokens, BLOCK);
  const Rows<Element, COLS> rows = {k + head_offset(head.batch, batch_stride, head.key_head, head_stride), row_stride};
  mean_of_rows<THREADS>(shared, rows, block * BLOCK, live, [&](int c, float mean) {
    if (means != nullptr)
      means[(g * COLS + c) * blocks + block] = mean;
    if (rounded == nullptr)
      return;
    Element *to = rounded + (g * blocks + block) * COLS + c;
#pragma unroll
    for (int plane = 0; plane < PLANES; ++plane) {
      *to = round_one<Element>(mean);
      mean -= to_float(*to);
      to += pairs * blocks * COLS;
    }
  });
}

} // namespace tercet::dev
