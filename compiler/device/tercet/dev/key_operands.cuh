// Keys as features and values as operands of the state products, in shared memory, for 16-bit tokens.
//
// Each is two planes of bf16 whose sum has 16 bits of mantissa: rows are tokens, COLS columns, 8 columns apart more than
// that, so that the rows that one ldmatrix reads lie in different banks. Rows without a live token are 0.
#pragma once

#include "tercet/dev/centred_rows.cuh"
#include "tercet/dev/features.cuh"
#include "tercet/dev/global.cuh"
#include "tercet/dev/warp_product.cuh"

namespace tercet::dev {

template <int ROWS, int COLS> struct SplitPlanes {
  static constexpr int rows = ROWS, cols = COLS, row_words = COLS / 2 + 4, row_bytes = 4 * row_words;
  static constexpr int plane_words = ROWS * row_words, bytes = 8 * plane_words;

  u32 *words;

  TERCET_DEVICE void put(int row, int pair, float first, float second) const {
    const SplitPair parts = split(first, second);
    words[row * row_words + pair] = parts.high;
    words[plane_words + row * row_words + pair] = parts.low;
  }
  TERCET_DEVICE u32 address(int plane) const { return shared_address(words + plane * plane_words); }
};

/// phi of rows first .. first + live - 1 of `keys`, one warp per row; factor_of(r): by what that of row first + r is multiplied.
template <int MAP, int WARPS, class Element, int D, int ROWS, int COLS, class Factor>
TERCET_DEVICE void put_features(SplitPlanes<ROWS, COLS> to, Rows<Element, D> keys, index first, index live,
                                Factor factor_of) {
  constexpr int per_lane = (COLS / 2 + 31) / 32;
  for (int r = static_cast<int>(warp()); r < ROWS; r += WARPS) {
    float2 x[per_lane];
    float top = -infinity(), sum = 0;
#pragma unroll
    for (int i = 0; i < per_lane; ++i) {
      const int pair = static_cast<int>(lane()) + 32 * i;
      const bool inside = r < live && 2 * pair < D;
      x[i] = inside ? load_pair(keys.row(first + r) + 2 * pair) : float2{-infinity(), -infinity()};
      top = fmaxf(top, fmaxf(x[i].x, x[i].y));
    }
    top = MAP == softmax_features ? warp_max(top) : 0.0f;
#pragma unroll
    for (int i = 0; i < per_lane; ++i) {
      const bool inside = r < live && 2 * (static_cast<int>(lane()) + 32 * i) < D;
      x[i] = inside ? float2{feature<MAP>(x[i].x, top), feature<MAP>(x[i].y, top)} : float2{0, 0};
      sum += x[i].x + x[i].y;
    }
    float factor = 1;
    if (MAP == softmax_features)
      factor = r < live ? 1 / warp_add(sum) : 0.0f;
    if (r < live)
      factor *= factor_of(r);
#pragma unroll
    for (int i = 0; i < per_lane; ++i)
      if (const int pair = static_cast<int>(lane()) + 32 * i; 2 * pair < COLS)
        to.put(r, pair, x[i].x * factor, x[i].y * factor);
  }
}

/// Columns col .. col + COLS - 1 of rows first .. first + live - 1 of `values`, as they are.
template <int THREADS, class Values, int ROWS, int COLS>
TERCET_DEVICE void put_values(SplitPlanes<ROWS, COLS> to, Values values, index first, index live, int col) {
  for (int i = static_cast<int>(threadIdx.x); i < ROWS * COLS / 2; i += THREADS) {
    const int r = i / (COLS / 2), pair = i % (COLS / 2);
    const float2 x = pair_or_zero(values, first + r, first + live, col + 2 * pair);
    to.put(r, pair, x.x, x.y);
  }
}

/// The same of `values` times W^T: a warp multiplies 16 rows. weight: pack_weight's planes [2][PADDED][PADDED].
template <int WARPS, int PADDED, class Values, int ROWS, int COLS>
TERCET_DEVICE void put_projected(SplitPlanes<ROWS, COLS> to, Values values, index first, index live, int col,
                                 const u32 *weight) {
  const int g = static_cast<int>(lane()) / 4, t = static_cast<int>(lane()) % 4;
  for (int base = 16 * static_cast<int>(warp()); base < ROWS; base += 16 * WARPS) {
    Tile<16, COLS> product = splat<16, COLS>(0.0f);
#pragma unroll 1
    for (int k = 0; k < PADDED / 16; ++k) {
      u32 high[4], low[4];
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int r = base + g + e % 2 * 8, c = 16 * k + 2 * t + e / 2 * 8;
        const float2 x = pair_or_zero(values, first + r, first + live, c);
        const SplitPair parts = split(x.x, x.y);
        high[e] = parts.high;
        low[e] = parts.low;
      }
#pragma unroll
      for (int n = 0; n < COLS / 8; ++n) {
        const u32 *w = weight + ((col + 8 * n + g) * PADDED + 16 * k) / 2 + t, *rest = w + PADDED * PADDED / 2;
        multiply<bf16>(product.at + 4 * n, high, w[0], w[4]);
        multiply<bf16>(product.at + 4 * n, high, rest[0], rest[4]);
        multiply<bf16>(product.at + 4 * n, low, w[0], w[4]);
      }
    }
#pragma unroll
    for (int n = 0; n < COLS / 8; ++n) {
      to.put(base + g, 4 * n + t, product.at[4 * n], product.at[4 * n + 1]);
      to.put(base + g + 8, 4 * n + t, product.at[4 * n + 2], product.at[4 * n + 3]);
    }
  }
}

} // namespace tercet::dev
