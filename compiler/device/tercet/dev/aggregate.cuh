// States of query blocks, H_i = sum of h_j over the linear set of row i: the 0/1 class matrix times the stacked states.
//
// For 16-bit tokens on matrix units: the left operand is made from class bits in registers, exact in bf16; the right
// one is both planes of the states, so sums have their 16 bits of mantissa. A block of 8 warps takes 256 query blocks
// and 64 columns of the states; states stream through a ring of shared tiles, 64 key blocks at a time.
#pragma once

#include "tercet/dev/group.cuh"
#include "tercet/dev/warp_product.cuh"

namespace tercet::dev {

/// Bits 2 t, 2 t + 1 of a word as two bf16 that are 0 or 1; t = lane % 4.
TERCET_DEVICE u32 ones(u64 bits, int column) {
  const u32 pair = static_cast<u32>(bits >> column) & 3;
  return (pair & 1) * 0x3f80u + (pair >> 1) * 0x3f800000u;
}

enum : int { aggregate_rows = 256, aggregate_cols = 64, aggregate_depth = 64, aggregate_threads = 256 };

/// The shared memory of aggregate, in bytes: both planes, in SLOTS slots.
template <int SLOTS>
constexpr int aggregate_bytes = SLOTS * 2 * PlainTile<bf16, aggregate_depth, aggregate_cols, aggregate_cols + 8>::bytes;

/// Columns 64 tile .. 64 tile + 63 of query blocks 256 part .. of head gr. states: [2][pairs][key blocks][COLUMNS];
/// bits: [gr][query blocks][words], bit j of a row where key block j is in its set; sums: [2][pairs * R][query
/// blocks][COLUMNS].
template <int COLUMNS, int SLOTS, int SHARED>
TERCET_DEVICE void aggregate(u8 *shared, index tile, index part, index gr, index pairs, index heads_per_key_head,
                             index query_blocks, index key_blocks, const float *states, const i32 *bits, float *sums) {
  using Slot = PlainTile<bf16, aggregate_depth, aggregate_cols, aggregate_cols + 8>;
  static_assert(aggregate_bytes<SLOTS> <= SHARED, "the slots fit");
  const index words = ceil_div(key_blocks, 64), g = static_cast<u32>(gr) / static_cast<u32>(heads_per_key_head);
  const index col = tile * aggregate_cols, state_plane = pairs * key_blocks * COLUMNS;
  const bf16 *state = reinterpret_cast<const bf16 *>(states) + g * key_blocks * COLUMNS + col;
  const Rows<bf16, aggregate_cols> high = {const_cast<bf16 *>(state), COLUMNS};
  const Rows<bf16, aggregate_cols> low = {const_cast<bf16 *>(state) + state_plane, COLUMNS};
  const CopyRing<Slot, SLOTS, aggregate_threads> highs(shared, 0), lows(shared, SLOTS * Slot::bytes);
  const int t = 2 * static_cast<int>(lane() % 4);
  const index first = part * aggregate_rows + warp() * 32;
  const u64 *row_bits = reinterpret_cast<const u64 *>(bits) + gr * query_blocks * words;
  const bool works = first < query_blocks;

  float acc[2][aggregate_cols / 8][4] = {};
#pragma unroll
  for (int step = 0; step < SLOTS - 1; ++step) {
    highs.fill(step, high, step * aggregate_depth, key_blocks);
    lows.fill(step, low, step * aggregate_depth, key_blocks);
  }
#pragma unroll 1
  for (index step = 0; step < words; ++step) {
    const Slot right[2] = {highs.template wait<2 * SLOTS - 4>(step), lows.slot(step)};
    highs.fill(step + SLOTS - 1, high, (step + SLOTS - 1) * aggregate_depth, key_blocks);
    lows.fill(step + SLOTS - 1, low, (step + SLOTS - 1) * aggregate_depth, key_blocks);
    if (!works)
      continue;
    u64 set[4]; // rows lane / 4 + 8 i
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const index row = first + lane() / 4 + 8 * i;
      set[i] = row < query_blocks ? row_bits[row * words + step] : 0;
    }
#pragma unroll
    for (int k = 0; k < aggregate_depth / 16; ++k) {
      u32 left[2][4];
#pragma unroll
      for (int m = 0; m < 2; ++m)
#pragma unroll
        for (int e = 0; e < 4; ++e)
          left[m][e] = ones(set[2 * m + e % 2], 16 * k + t + e / 2 * 8);
#pragma unroll
      for (int plane = 0; plane < 2; ++plane)
#pragma unroll
        for (int n = 0; n < aggregate_cols / 16; ++n) {
          u32 b[4];
          load_matrices_transposed(b, right[plane].address + (16 * k + lane() % 16) * Slot::row_bytes + 32 * n +
                                          lane() / 16 * 16);
#pragma unroll
          for (int m = 0; m < 2; ++m) {
            multiply<bf16>(acc[m][2 * n], left[m], b[0], b[1]);
            multiply<bf16>(acc[m][2 * n + 1], left[m], b[2], b[3]);
          }
        }
    }
  }
  drain_copies();
  const index sum_plane = pairs * heads_per_key_head * query_blocks * COLUMNS;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const index row = first + lane() / 4 + 8 * i;
    if (row < query_blocks) {
      bf16 *to = reinterpret_cast<bf16 *>(sums) + (gr * query_blocks + row) * COLUMNS + col + t;
#pragma unroll
      for (int n = 0; n < aggregate_cols / 8; ++n) {
        const SplitPair x = split(acc[i / 2][n][i % 2 * 2], acc[i / 2][n][i % 2 * 2 + 1]);
        *reinterpret_cast<u32 *>(to + 8 * n) = x.high;
        *reinterpret_cast<u32 *>(to + sum_plane + 8 * n) = x.low;
      }
    }
  }
}

/// The same for f32 tokens, in f32: one thread per column, 16 query blocks.
enum : int { aggregate_f32_rows = 16 };
template <int THREADS, int COLUMNS>
TERCET_DEVICE void aggregate_f32(index tile, index part, index gr, index heads_per_key_head, index query_blocks,
                                 index key_blocks, const float *states, const i32 *bits, float *sums) {
  const index words = ceil_div(key_blocks, 64), g = static_cast<u32>(gr) / static_cast<u32>(heads_per_key_head);
  const index col = tile * THREADS + threadIdx.x, first = part * aggregate_f32_rows;
  const float *state = states + g * key_blocks * COLUMNS + col;
  const u64 *row_bits = reinterpret_cast<const u64 *>(bits) + (gr * query_blocks + first) * words;
  if (col >= COLUMNS)
    return;
  float acc[aggregate_f32_rows] = {};
#pragma unroll 1
  for (index j = 0; j < key_blocks; ++j) {
    const float x = state[j * COLUMNS];
#pragma unroll
    for (int i = 0; i < aggregate_f32_rows; ++i)
      if (first + i < query_blocks && (row_bits[i * words + j / 64] >> (j % 64) & 1) != 0)
        acc[i] += x;
  }
#pragma unroll
  for (int i = 0; i < aggregate_f32_rows; ++i)
    if (first + i < query_blocks)
      sums[(gr * query_blocks + first + i) * COLUMNS + col] = acc[i];
}

/// One state for all rows of a pair: the sum over its key blocks in order. states [planes][pairs][blocks][COLUMNS],
/// sums [planes][pairs][COLUMNS]; SPLIT: two planes of bf16, else one of f32. A thread sums two columns.
template <int THREADS, int COLUMNS, bool SPLIT>
TERCET_DEVICE void total(index tile, index g, index pairs, index key_blocks, const float *states, float *sums) {
  const index col = 2 * (tile * THREADS + threadIdx.x);
  if (col >= COLUMNS)
    return;
  float2 sum = {0, 0};
  if (!SPLIT) {
    for (index j = 0; j < key_blocks; ++j) {
      const float2 x = load_pair(states + (g * key_blocks + j) * COLUMNS + col);
      sum = {sum.x + x.x, sum.y + x.y};
    }
    *reinterpret_cast<float2 *>(sums + g * COLUMNS + col) = sum;
    return;
  }
  const bf16 *high = reinterpret_cast<const bf16 *>(states) + g * key_blocks * COLUMNS + col;
  const bf16 *low = high + pairs * key_blocks * COLUMNS;
  for (index j = 0; j < key_blocks; ++j) {
    const float2 x = load_pair(high + j * COLUMNS), rest = load_pair(low + j * COLUMNS);
    sum = {sum.x + (x.x + rest.x), sum.y + (x.y + rest.y)};
  }
  const SplitPair parts = split(sum.x, sum.y);
  u32 *to = reinterpret_cast<u32 *>(reinterpret_cast<bf16 *>(sums) + g * COLUMNS + col);
  to[0] = parts.high;
  to[pairs * COLUMNS / 2] = parts.low;
}

} // namespace tercet::dev
