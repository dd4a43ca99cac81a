// States of key blocks for f32 tokens, by fused multiply-adds: h_j = phi(K_j)^T V_j as rows [features][values], then z_j,
// then zeros. As key_states.cuh otherwise.
#pragma once

#include "tercet/dev/centred_rows.cuh"
#include "tercet/dev/features.cuh"
#include "tercet/dev/global.cuh"
#include "tercet/dev/group.cuh"
#include "tercet/dev/state_row.cuh"

namespace tercet::dev {

/// phi of rows first .. first + live - 1, one warp per row, to rows of COLS floats in shared memory; other rows are 0.
/// factor_of(r): by what that of row first + r is multiplied.
template <int MAP, int WARPS, int D, int ROWS, int COLS, class Factor>
TERCET_DEVICE void put_features(float *to, Rows<float, D> keys, index first, index live, Factor factor_of) {
  for (int r = static_cast<int>(warp()); r < ROWS; r += WARPS) {
    float top = -infinity(), sum = 0;
    if (MAP == softmax_features && r < live) {
      for (int c = static_cast<int>(lane()); c < D; c += 32)
        top = fmaxf(top, keys.row(first + r)[c]);
      top = warp_max(top);
    }
    const float factor = r < live ? factor_of(r) : 0.0f;
    for (int c = static_cast<int>(lane()); c < COLS; c += 32) {
      const float x = r < live && c < D ? feature<MAP>(keys.row(first + r)[c], top) : 0.0f;
      sum += x;
      to[r * COLS + c] = x * factor;
    }
    if (MAP == softmax_features && r < live) {
      const float total = warp_add(sum);
      for (int c = static_cast<int>(lane()); c < D; c += 32)
        to[r * COLS + c] /= total;
    }
  }
}

/// The shared memory of key_states_f32, in bytes.
template <int D, int COLS, int ROWS> constexpr int key_states_f32_bytes = 4 * ROWS *(D + COLS);

/// As put_state of key_states.cuh, to one row of f32. weight: pack_weight's transposed W.
template <int THREADS, int MAP, int BLOCK, int ROWS, int COLS, bool PROJECTS, int D, class ValueRows, class Weights>
TERCET_DEVICE void put_state_f32(u8 *shared, Rows<float, D> key_rows, ValueRows value_rows, index block_first,
                                 index live, index chunk, const float *weight, float *state, Weights weights) {
  constexpr int DV = ValueRows::cols, padded_d = (D + 15) / 16 * 16, padded_dv = (DV + 15) / 16 * 16;
  using State = StateRow<padded_d, padded_dv>;
  float *keys = reinterpret_cast<float *>(shared), *values = keys + ROWS * padded_d;
  // A thread sums 4 value columns of every `step`-th feature.
  constexpr int across = COLS / 4, step = THREADS / across, count = (padded_d + step - 1) / step;
  const int thread = static_cast<int>(threadIdx.x), quad = thread % across * 4, feature_row = thread / across;
  const int col = static_cast<int>(chunk) * COLS;
  float sums[count][4] = {}, z[2] = {};
  static_assert(padded_d <= 2 * THREADS, "a thread sums at most two features of z");
#pragma unroll 1
  for (int part = 0; part < BLOCK && part < live; part += ROWS) {
    const index first = block_first + part, left = live - part;
    put_features<MAP, THREADS / 32, D, ROWS, padded_d>(keys, key_rows, first, left,
                                                       [&](int r) { return weights.features(part + r); });
    for (int i = thread; i < ROWS * COLS; i += THREADS) {
      const int r = i / COLS, c = col + i % COLS;
      float x = 0;
      if (PROJECTS && r < left)
        for (int d = 0; d < DV; ++d)
          x = fmaf(element_of(value_rows, first + r, d), weight[d * padded_dv + c], x);
      if (!PROJECTS && r < left && c < DV)
        x = element_of(value_rows, first + r, c);
      values[i] = x;
    }
    __syncthreads();
#pragma unroll 1
    for (int r = 0; r < ROWS; ++r) {
      const float *value = values + r * COLS + quad;
      const float one = weights.ones(part + r);
#pragma unroll
      for (int i = 0; i < count; ++i)
        if (const int f = feature_row + i * step; f < padded_d) {
          const float x = keys[r * padded_d + f];
#pragma unroll
          for (int e = 0; e < 4; ++e)
            sums[i][e] = fmaf(x, value[e], sums[i][e]);
        }
#pragma unroll
      for (int i = 0; i < 2; ++i)
        if (const int f = thread + i * THREADS; f < padded_d)
          z[i] = fmaf(one, keys[r * padded_d + f], z[i]);
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < count; ++i)
    if (const int f = feature_row + i * step; f < padded_d)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        state[f * padded_dv + col + quad + e] = sums[i][e];
  if (chunk == 0) {
#pragma unroll
    for (int i = 0; i < 2; ++i)
      if (const int f = thread + i * THREADS; f < padded_d)
        state[State::z + f] = z[i];
    for (int c = State::z + padded_d + thread; c < State::columns; c += THREADS)
      state[c] = 0;
  }
}

/// Key block `block` of pair g: states [g][blocks][columns].
template <int THREADS, class Element, int MAP, int D, int DV, int BLOCK, int ROWS, int COLS, bool PROJECTS, int SHARED,
          bool TILES = false, bool CENTRES = false>
TERCET_DEVICE void key_states_f32(u8 *shared, index block, index g, index chunk, index, Element *k, index k_batch,
                                  index k_head, index k_row, Element *v, index v_batch, index v_head, index v_row,
                                  const i32 *lengths, index key_heads, index tokens, index first_pair,
                                  const float *weight, float *states, const float *centres = nullptr) {
  constexpr int padded_d = (D + 15) / 16 * 16, padded_dv = (DV + 15) / 16 * 16;
  static_assert(key_states_f32_bytes<padded_d, COLS, ROWS> <= SHARED, "both operands fit");
  const GroupHead head = group_head(g, first_pair, key_heads, 1);
  const index live = tokens_of_block<BLOCK, TILES>(lengths, head.batch, tokens, block);
  const Rows<Element, D> key_rows = {k + head_offset(head.batch, k_batch, head.key_head, k_head), k_row};
  const Rows<Element, DV> value_rows = {v + head_offset(head.batch, v_batch, head.key_head, v_head), v_row};
  float *state = states + (g * ceil_div(tokens, BLOCK) + block) * StateRow<padded_d, padded_dv>::columns;
  put_state_f32<THREADS, MAP, BLOCK, ROWS, COLS, PROJECTS>(
      shared, key_rows, rows_less<CENTRES>(value_rows, centres + (CENTRES ? g * padded_dv : 0)), block * BLOCK, live,
      chunk, weight, state, PlainRows());
}

} // namespace tercet::dev
