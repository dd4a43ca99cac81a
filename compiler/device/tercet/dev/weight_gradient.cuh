// dW and db in two steps, so that sums do not depend on who runs first: a part per chunk of rows, then the sum of the parts in their
// order.
//
// With Y = phi(K) dH, whose dH is made of dO as it is, dW = sum dO^T O_l = sum Y^T V, over keys instead of queries; db = sum dO.
#pragma once

#include "tercet/dev/query_gradient.cuh"
#include "tercet/dev/query_states.cuh"

namespace tercet::dev {

/// Rows COLS chunk .. COLS chunk + COLS - 1 of Y^T V over the rows first .. of a chunk of at most BLOCK, in parts of ROWS.
/// To parts + at: [PADDED][PADDED]. live: rows of the pair.
template <int THREADS, int BLOCK, int ROWS, int COLS, int SHARED, class Element, int DV, int PADDED>
TERCET_DEVICE void weight_part(u8 *shared, index block, index chunk, index live, Rows<Element, DV> v,
                               Rows<float, PADDED> y, float *parts, index at) {
  float *to = parts + at;
  constexpr int warps = THREADS / 32;
  const index in_part = live_in_block<BLOCK>(live, block);
  const int col = static_cast<int>(chunk) * COLS;
  if constexpr (sizeof(Element) == 4) {
    // A thread sums a row of Y^T V, or with few of these a part of it.
    constexpr int across = THREADS / COLS, count = PADDED / across;
    static_assert(THREADS % COLS == 0 && PADDED % across == 0 && across <= PADDED, "threads share rows evenly");
    const int e = col + static_cast<int>(threadIdx.x) / across, c = static_cast<int>(threadIdx.x) % across;
    float sums[count] = {};
#pragma unroll 1
    for (index r = block * BLOCK; r < block * BLOCK + in_part; ++r) {
      const float x = y.row(r)[e];
#pragma unroll
      for (int i = 0; i < count; ++i)
        if (c + i * across < DV)
          sums[i] = fmaf(x, v.row(r)[c + i * across], sums[i]);
    }
#pragma unroll
    for (int i = 0; i < count; ++i)
      to[e * PADDED + c + i * across] = sums[i];
  } else {
    using Lefts = SplitPlanes<ROWS, PADDED>;
    static_assert(key_states_bytes<PADDED, COLS, ROWS> <= SHARED, "both operands fit");
    const Lefts values = {reinterpret_cast<u32 *>(shared)};
    const SplitPlanes<ROWS, COLS> others = {reinterpret_cast<u32 *>(shared + Lefts::bytes)};
    StateTile<PADDED, COLS, warps> tile;
#pragma unroll 1
    for (int part = 0; part < BLOCK && part < in_part; part += ROWS) {
      put_values<THREADS>(values, v, block * BLOCK + part, in_part - part, 0);
      put_values<THREADS>(others, y, block * BLOCK + part, in_part - part, col);
      __syncthreads();
      tile.add(values, others);
      __syncthreads();
    }
    tile.template store_rows<PADDED>(to, col);
  }
}

/// The sum of the rows first .. of a chunk of at most BLOCK of dO. To parts + at: [PADDED]. live: rows of the head.
template <int THREADS, int BLOCK, int PADDED, class Element, int DV>
TERCET_DEVICE void bias_part(index block, index live, Rows<Element, DV> gradient, float *parts, index at) {
  const index end = block * BLOCK + live_in_block<BLOCK>(live, block);
  for (int c = 2 * static_cast<int>(threadIdx.x); c < PADDED; c += 2 * THREADS) {
    float2 sum = {0, 0};
#pragma unroll 4
    for (index r = block * BLOCK; r < end; ++r) {
      const float2 x = pair_or_zero(gradient, r, end, c);
      sum = {sum.x + x.x, sum.y + x.y};
    }
    *reinterpret_cast<float2 *>(parts + at + c) = sum;
  }
}

/// Element THREADS part + thread of to [ROWS][COLS]: the sum of that of all parts, [count][..][PADDED] of SIZE elements each.
template <int THREADS, int ROWS, int COLS, int PADDED, int SIZE>
TERCET_DEVICE void sum_parts(index part, index count, const float *parts, float *to, index row_stride,
                             index col_stride) {
  const int item = static_cast<int>(part) * THREADS + static_cast<int>(threadIdx.x), row = item / COLS,
            col = item % COLS;
  if (row >= ROWS)
    return;
  float sum = 0;
#pragma unroll 4
  for (index p = 0; p < count; ++p)
    sum += parts[p * SIZE + row * PADDED + col];
  to[row * row_stride + col * col_stride] = sum;
}

} // namespace tercet::dev
