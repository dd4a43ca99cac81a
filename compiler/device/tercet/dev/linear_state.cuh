// The state H of a block (state_row.cuh) as an operand of products with the 16 rows of a warp:
//
//   add_times_state        acc += F H      F: features
//   add_times_transposed   acc += V H^T    V: values
//
// acc: COLS columns of the product from `col` on, both multiples of 16.
//
// Left operands come as pairs of columns: at(half, c) are columns c, c + 1 of row lane / 4 + 8 half. For 16-bit tokens
// both operands are split into two bf16, and the product of both rests is left out.
#pragma once

#include "tercet/dev/global.cuh"
#include "tercet/dev/state_row.cuh"
#include "tercet/dev/warp_product.cuh"

namespace tercet::dev {

/// Two planes of bf16, `plane` elements apart, in the fragments that key_states.cuh writes.
template <int D, int DV> struct SplitState {
  const bf16 *at;
  index plane;
  TERCET_DEVICE float2 z(int c) const {
    const float2 x = load_pair(at + D * DV + c), rest = load_pair(at + plane + D * DV + c);
    return {x.x + rest.x, x.y + rest.y};
  }
};

/// Rows [features][values] of f32.
template <int D, int DV> struct WideState {
  const float *at;
  TERCET_DEVICE float2 z(int c) const { return load_pair(at + D * DV + c); }
};

/// State `row` of those of a kernel for tokens of Element, with the planes `plane` elements apart.
template <class Element, int D, int DV> struct States {
  TERCET_DEVICE static SplitState<D, DV> at(const float *states, index row, index plane) {
    return {reinterpret_cast<const bf16 *>(states) + row * StateRow<D, DV>::columns, plane};
  }
};
template <int D, int DV> struct States<float, D, DV> {
  TERCET_DEVICE static WideState<D, DV> at(const float *states, index row, index) {
    return {states + row * StateRow<D, DV>::columns};
  }
};

/// Columns of a product of so many that a warp sums at once: all, but for those whose sums leave no registers for the rest.
TERCET_DEVICE constexpr int columns_at_once(int cols) {
  return cols <= 192 ? cols : cols == 208 ? 16 : cols == 240 ? 80 : cols / 2;
}

struct SplitFragment {
  u32 high[4], low[4];
};

/// Columns 16 k .. 16 k + 15 of a left operand.
template <class Pairs> TERCET_DEVICE SplitFragment split_fragment(int k, Pairs at) {
  SplitFragment result;
#pragma unroll
  for (int e = 0; e < 4; ++e) {
    const float2 x = at(e % 2, 16 * k + 2 * static_cast<int>(lane() % 4) + e / 2 * 8);
    const SplitPair parts = split(x.x, x.y);
    result.high[e] = parts.high;
    result.low[e] = parts.low;
  }
  return result;
}

/// c += A B; x, rest: the right operand's planes.
TERCET_DEVICE void multiply_split(float *c, const SplitFragment &a, uint2 x, uint2 rest) {
  multiply<bf16>(c, a.high, x.x, x.y);
  multiply<bf16>(c, a.high, rest.x, rest.y);
  multiply<bf16>(c, a.low, x.x, x.y);
}

/// An 8 x 8 matrix of 2-byte elements, two neighbours of row lane / 4 in every thread, transposed.
TERCET_DEVICE u32 transpose(u32 pair) {
  const int row = static_cast<int>(lane()) / 4, from = 8 * static_cast<int>(lane() % 4) + row / 2;
  const u32 first = __shfl_sync(whole_warp, pair, from), second = __shfl_sync(whole_warp, pair, from + 4);
  return row % 2 == 0 ? (first & 0xffff) | second << 16 : first >> 16 | (second & 0xffff0000u);
}

template <int COLS, int D, int DV, class Pairs>
TERCET_DEVICE void add_times_state(Tile<16, COLS> &acc, SplitState<D, DV> state, int col, Pairs at) {
#pragma unroll 1
  for (int k = 0; k < D / 16; ++k) {
    const SplitFragment left = split_fragment(k, at);
    const bf16 *right = state.at + ((k * (DV / 8) + col / 8) * 32 + lane()) * 4;
#pragma unroll
    for (int n = 0; n < COLS / 8; ++n)
      multiply_split(acc.at + 4 * n, left, *reinterpret_cast<const uint2 *>(right + 128 * n),
                     *reinterpret_cast<const uint2 *>(right + state.plane + 128 * n));
  }
}

template <int COLS, int D, int DV, class Pairs>
TERCET_DEVICE void add_times_transposed(Tile<16, COLS> &acc, SplitState<D, DV> state, int col, Pairs at) {
#pragma unroll 1
  for (int k = 0; k < DV / 16; ++k) {
    const SplitFragment left = split_fragment(k, at);
#pragma unroll
    for (int n = 0; n < COLS / 16; ++n) {
      const bf16 *block =
          state.at + (((n + col / 16) * (DV / 8) + 2 * k) * 32 + lane()) * 4; // 8 value columns, and the next
      uint2 lower[2], upper[2]; // by plane: features 16 n .. + 7, and + 8 .. + 15
#pragma unroll
      for (int plane = 0; plane < 2; ++plane) {
        const uint2 x = *reinterpret_cast<const uint2 *>(block + plane * state.plane);
        const uint2 y = *reinterpret_cast<const uint2 *>(block + plane * state.plane + 128);
        lower[plane] = uint2{transpose(x.x), transpose(y.x)};
        upper[plane] = uint2{transpose(x.y), transpose(y.y)};
      }
      multiply_split(acc.at + 8 * n, left, lower[0], lower[1]);
      multiply_split(acc.at + 8 * n + 4, left, upper[0], upper[1]);
    }
  }
}

template <int COLS, int D, int DV, class Pairs>
TERCET_DEVICE void add_times_state(Tile<16, COLS> &acc, WideState<D, DV> state, int col, Pairs at) {
  const float *right = state.at + col + 2 * (lane() % 4);
#pragma unroll 1
  for (int f = 0; f < D; f += 2) {
    const float2 x = at(0, f), y = at(1, f);
#pragma unroll
    for (int n = 0; n < COLS / 8; ++n) {
      const float2 h = load_pair(right + f * DV + 8 * n), next = load_pair(right + (f + 1) * DV + 8 * n);
      acc.at[4 * n] = fmaf(x.y, next.x, fmaf(x.x, h.x, acc.at[4 * n]));
      acc.at[4 * n + 1] = fmaf(x.y, next.y, fmaf(x.x, h.y, acc.at[4 * n + 1]));
      acc.at[4 * n + 2] = fmaf(y.y, next.x, fmaf(y.x, h.x, acc.at[4 * n + 2]));
      acc.at[4 * n + 3] = fmaf(y.y, next.y, fmaf(y.x, h.y, acc.at[4 * n + 3]));
    }
  }
}

template <int COLS, int D, int DV, class Pairs>
TERCET_DEVICE void add_times_transposed(Tile<16, COLS> &acc, WideState<D, DV> state, int col, Pairs at) {
  const float *right = state.at + (col + 2 * (lane() % 4)) * DV;
#pragma unroll 1
  for (int c = 0; c < DV; c += 2) {
    const float2 x = at(0, c), y = at(1, c);
#pragma unroll
    for (int n = 0; n < COLS / 8; ++n)
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const float2 h = load_pair(right + (8 * n + e) * DV + c);
        acc.at[4 * n + e] = fmaf(x.y, h.y, fmaf(x.x, h.x, acc.at[4 * n + e]));
        acc.at[4 * n + 2 + e] = fmaf(y.y, h.y, fmaf(y.x, h.x, acc.at[4 * n + 2 + e]));
      }
  }
}

} // namespace tercet::dev
