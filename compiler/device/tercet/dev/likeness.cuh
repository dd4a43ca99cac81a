// How alike the tokens of a block are, and keys without their mean (docs/spec.md#pooled_scores, guard and center).
#pragma once

#include "tercet/dev/global.cuh"
#include "tercet/dev/group.cuh"

namespace tercet::dev {

/// Takes the mean of all live keys from the block means of pair g, a warp per column: means [g][COLS][blocks] in place, and
/// the mean itself to centre [g][COLS].
template <int THREADS, int COLS, int BLOCK, bool TILES = false>
TERCET_DEVICE void center_keys(index part, index g, const i32 *lengths, index key_heads, index tokens, index first_pair,
                               float *means, float *centre) {
  const index column = part * (THREADS / 32) + warp();
  if (column >= COLS)
    return;
  const index batch = group_head(g, first_pair, key_heads, 1).batch;
  const index live = TILES ? tokens : live_tokens(lengths, batch, tokens);
  const index blocks = ceil_div(tokens, BLOCK), filled = ceil_div(live, BLOCK);
  float *mean = means + (g * COLS + column) * blocks;
  float sum = 0;
  int valid = 0;
  for (index j = lane(); j < filled; j += 32) {
    const int count = static_cast<int>(tokens_of_block<BLOCK, TILES>(lengths, batch, tokens, j));
    sum = fmaf(static_cast<float>(count), mean[j], sum);
    valid += count;
  }
  const int all = TILES ? warp_add(valid) : static_cast<int>(live);
  const float middle = all > 0 ? warp_add(sum) / static_cast<float>(all) : 0.0f;
  for (index j = lane(); j < filled; j += 32)
    mean[j] -= middle;
  if (lane() == 0)
    centre[g * COLS + column] = middle;
}

/// The squared length of the mean of rows first .. first + live - 1, each taken off `centre` (null: 0) and normalised; the
/// same in all threads. A row of zeros stays one. shared: 32 THREADS bytes and a float for each of BLOCK rows.
template <int THREADS, int BLOCK, class Element, int COLS>
TERCET_DEVICE float likeness(u8 *shared, Rows<Element, COLS> rows, index first, index live, const float *centre) {
  constexpr int pairs = COLS / 2, groups = THREADS / pairs > 0 ? THREADS / pairs : 1;
  static_assert(COLS % 8 == 0 && groups * COLS * 4 <= 32 * THREADS, "the sums of all threads fit");
  float *sums = reinterpret_cast<float *>(shared), *factors = sums + 8 * THREADS;
  const int thread = static_cast<int>(threadIdx.x);
  const auto load = [&](index r, int pair) {
    float2 x = load_pair(rows.row(first + r) + 2 * pair);
    if (centre != nullptr)
      x = {x.x - centre[2 * pair], x.y - centre[2 * pair + 1]};
    return x;
  };
  for (index r = warp(); r < live; r += THREADS / 32) {
    float square = 0;
    for (int pair = static_cast<int>(lane()); pair < pairs; pair += 32) {
      const float2 x = load(r, pair);
      square = fmaf(x.x, x.x, fmaf(x.y, x.y, square));
    }
    square = warp_add(square);
    if (lane() == 0)
      factors[r] = square > 0 ? rsqrtf(square) : 0.0f;
  }
  __syncthreads();
  for (int i = thread; i < groups * pairs; i += THREADS) {
    const int group = i / pairs, pair = i % pairs;
    float2 sum = {0, 0};
    for (index r = group; r < live; r += groups) {
      const float2 x = load(r, pair);
      sum.x = fmaf(x.x, factors[r], sum.x);
      sum.y = fmaf(x.y, factors[r], sum.y);
    }
    sums[group * COLS + 2 * pair] = sum.x;
    sums[group * COLS + 2 * pair + 1] = sum.y;
  }
  __syncthreads();
  // Every warp adds all columns: the result is the same in all of them.
  float square = 0;
  for (int c = static_cast<int>(lane()); c < COLS; c += 32) {
    float sum = 0;
    for (int group = 0; group < groups; ++group)
      sum += sums[group * COLS + c];
    square = fmaf(sum, sum, square);
  }
  const float count = static_cast<float>(static_cast<int>(live > 0 ? live : 1));
  return warp_add(square) / (count * count);
}

/// Query block `block` of head gr: alike [gr][blocks].
template <int THREADS, class Element, int COLS, int BLOCK, bool TILES = false>
TERCET_DEVICE void alike_queries(u8 *shared, index block, index gr, Element *q, index batch_stride, index head_stride,
                                 index row_stride, const i32 *lengths, index key_heads, index heads_per_key_head,
                                 index tokens, index first_pair, float *alike) {
  const GroupHead head = group_head(gr, first_pair, key_heads, heads_per_key_head);
  const index live = tokens_of_block<BLOCK, TILES>(lengths, head.batch, tokens, block);
  const Rows<Element, COLS> rows = {q + head_offset(head.batch, batch_stride, head.query_head, head_stride),
                                    row_stride};
  const float mean = likeness<THREADS, BLOCK>(shared, rows, block * BLOCK, live, nullptr);
  if (threadIdx.x == 0)
    alike[gr * ceil_div(tokens, BLOCK) + block] = mean;
}

/// Key block `block` of pair g: alike [g][blocks]. centre: null, or [g][COLS].
template <int THREADS, class Element, int COLS, int BLOCK, bool TILES = false>
TERCET_DEVICE void alike_keys(u8 *shared, index block, index g, Element *k, index batch_stride, index head_stride,
                              index row_stride, const i32 *lengths, index key_heads, index tokens, index first_pair,
                              const float *centre, float *alike) {
  const GroupHead head = group_head(g, first_pair, key_heads, 1);
  const index live = tokens_of_block<BLOCK, TILES>(lengths, head.batch, tokens, block);
  const Rows<Element, COLS> rows = {k + head_offset(head.batch, batch_stride, head.key_head, head_stride), row_stride};
  const float mean =
      likeness<THREADS, BLOCK>(shared, rows, block * BLOCK, live, centre == nullptr ? nullptr : centre + g * COLS);
  if (threadIdx.x == 0)
    alike[g * ceil_div(tokens, BLOCK) + block] = mean;
}

} // namespace tercet::dev
