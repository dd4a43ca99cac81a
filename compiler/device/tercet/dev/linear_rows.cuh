// The linear branch of a tile of query rows, 16 per warp, phi(Q) H / (phi(Q) Z + eps), added to an output tile.
//
// Features are made in the layout of a left operand, straight from global memory, 16 columns at a time, and again for
// every 64 value columns: that costs less than the registers that would keep them. Sums of softmax features and of
// phi(Q) Z come first; the division is by both at once.
#pragma once

#include "tercet/dev/features.cuh"
#include "tercet/dev/global.cuh"
#include "tercet/dev/state_row.cuh"
#include "tercet/dev/warp_product.cuh"

namespace tercet::dev {

/// Columns c, c + 1 of a row, or what MAP turns into 0 where there are none.
template <int MAP, class Element, int D>
TERCET_DEVICE float2 query_pair(Rows<Element, D> q, index row, index live, int c) {
  return row < live && c < D ? load_pair(q.row(row) + c) : float2{-infinity(), -infinity()};
}

/// phi of a pair of columns; 0 where there are none.
template <int MAP, class Element, int D>
TERCET_DEVICE float2 query_features(Rows<Element, D> q, index row, index live, int c, float top) {
  const float2 x = query_pair<MAP>(q, row, live, c);
  return row < live && c < D ? float2{feature<MAP>(x.x, top), feature<MAP>(x.y, top)} : float2{0, 0};
}

/// What the rows' features are made with: their largest elements, 1 / (sum of features * denominator), and both factors of
/// that; 0 in rows that are not live, and where the denominator is.
struct RowFactors {
  float top[2], inverse[2], unit[2], reciprocal[2];
};

/// For rows first and first + 8; z(c): columns c, c + 1 of Z.
template <int MAP, class Element, int D, class Normaliser>
TERCET_DEVICE RowFactors row_factors(Rows<Element, D> q, index first, index live, float eps, Normaliser z) {
  RowFactors result;
  const int t = 2 * static_cast<int>(lane() % 4);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const index r = first + 8 * half;
    float top = -infinity(), sum = 0, product = 0;
    if (MAP == softmax_features) {
#pragma unroll 4
      for (int c = t; c < D; c += 8) {
        const float2 x = query_pair<MAP>(q, r, live, c);
        top = fmaxf(top, fmaxf(x.x, x.y));
      }
      top = quad_max(top);
    }
#pragma unroll 4
    for (int c = t; c < D; c += 8) {
      const float2 x = query_features<MAP>(q, r, live, c, top), by = z(c);
      sum += x.x + x.y;
      product = fmaf(x.x, by.x, fmaf(x.y, by.y, product));
    }
    sum = MAP == softmax_features ? quad_add(sum) : 1.0f;
    const float denominator = quad_add(product) / sum + eps;
    result.top[half] = top;
    const bool divides = r < live && denominator != 0;
    result.inverse[half] = divides ? 1 / (sum * denominator) : 0.0f;
    result.unit[half] = divides ? 1 / sum : 0.0f;
    result.reciprocal[half] = divides ? 1 / denominator : 0.0f;
  }
  return result;
}

/// Adds `part` to value columns col .. col + COLS - 1 of a tile.
template <int COLS, int ROWS, int DV>
TERCET_DEVICE void add_part(Tile<ROWS, DV> &acc, int col, const float *part, const RowFactors &rows) {
#pragma unroll
  for (int i = 0; i < COLS / 2; ++i)
    acc.at[col / 2 + i] = fmaf(part[i], rows.inverse[i / 2 % 2], acc.at[col / 2 + i]);
}

/// For 16-bit tokens; state: two planes of a StateRow<padded D, DV>, `plane` elements apart.
template <int MAP, class Element, int D, int DV, int ROWS>
TERCET_DEVICE void add_linear(Tile<ROWS, DV> &acc, Rows<Element, D> q, index row, index live, const float *states,
                              index state_row, index plane, float eps) {
  using State = StateRow<(D + 15) / 16 * 16, DV>;
  const bf16 *state = reinterpret_cast<const bf16 *>(states) + state_row * State::columns;
  const RowFactors rows = row_factors<MAP>(q, row + acc.first_row(), live, eps, [&](int c) {
    const float2 x = load_pair(state + State::z + c), rest = load_pair(state + plane + State::z + c);
    return float2{x.x + rest.x, x.y + rest.y};
  });
  const int t = 2 * static_cast<int>(lane() % 4);
  const index first = row + acc.first_row();
#pragma unroll
  for (int col = 0; col < DV; col += 64) {
    constexpr int most = 64;
    float part[most / 2] = {};
#pragma unroll 1
    for (int k = 0; k < State::features / 16; ++k) {
      u32 high[4], low[4];
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const float2 x = query_features<MAP>(q, first + e % 2 * 8, live, 16 * k + t + e / 2 * 8, rows.top[e % 2]);
        const SplitPair parts = split(x.x, x.y);
        high[e] = parts.high;
        low[e] = parts.low;
      }
      const bf16 *right = state + ((k * (DV / 8) + col / 8) * 32 + lane()) * 4;
#pragma unroll
      for (int n = 0; n < most / 8; ++n)
        if (col + 8 * n < DV) {
          const uint2 b = *reinterpret_cast<const uint2 *>(right + 128 * n);
          const uint2 rest = *reinterpret_cast<const uint2 *>(right + plane + 128 * n);
          multiply<bf16>(part + 4 * n, high, b.x, b.y);
          multiply<bf16>(part + 4 * n, high, rest.x, rest.y);
          multiply<bf16>(part + 4 * n, low, b.x, b.y);
        }
    }
    if (col + most <= DV)
      add_part<most>(acc, col, part, rows);
    else
      add_part<DV % most == 0 ? most : DV % most>(acc, col, part, rows);
  }
}

/// For f32 tokens; state: one StateRow.
template <int MAP, class Element, int D, int DV, int ROWS>
TERCET_DEVICE void add_linear_f32(Tile<ROWS, DV> &acc, Rows<Element, D> q, index row, index live, const float *states,
                                  index state_row, index, float eps) {
  using State = StateRow<(D + 15) / 16 * 16, DV>;
  const float *state = states + state_row * State::columns;
  const RowFactors rows =
      row_factors<MAP>(q, row + acc.first_row(), live, eps, [&](int c) { return load_pair(state + State::z + c); });
  const int t = 2 * static_cast<int>(lane() % 4);
  const index first = row + acc.first_row();
#pragma unroll
  for (int col = 0; col < DV; col += 64) {
    constexpr int most = 64;
    float part[most / 2] = {};
#pragma unroll 1
    for (int f = 0; f < D; f += 2) {
      const float2 x = query_features<MAP>(q, first, live, f, rows.top[0]);
      const float2 y = query_features<MAP>(q, first + 8, live, f, rows.top[1]);
#pragma unroll
      for (int n = 0; n < most / 8; ++n)
        if (col + 8 * n < DV) {
          const float2 h = load_pair(state + f * DV + col + 8 * n + t),
                       next = load_pair(state + (f + 1) * DV + col + 8 * n + t);
          part[4 * n] = fmaf(x.y, next.x, fmaf(x.x, h.x, part[4 * n]));
          part[4 * n + 1] = fmaf(x.y, next.y, fmaf(x.x, h.y, part[4 * n + 1]));
          part[4 * n + 2] = fmaf(y.y, next.x, fmaf(y.x, h.x, part[4 * n + 2]));
          part[4 * n + 3] = fmaf(y.y, next.y, fmaf(y.x, h.y, part[4 * n + 3]));
        }
    }
    if (col + most <= DV)
      add_part<most>(acc, col, part, rows);
    else
      add_part<DV % most == 0 ? most : DV % most>(acc, col, part, rows);
  }
}

/// Adds bias[0 .. DV - 1] to every row.
template <int DV, int ROWS> TERCET_DEVICE void add_bias(Tile<ROWS, DV> &acc, const float *bias) {
#pragma unroll
  for (int i = 0; i < acc.size; ++i)
    acc.at[i] += bias[acc.col_of(i)];
}

} // namespace tercet::dev
