// States of key blocks, h_j = phi(K_j)^T V_j and z_j, on matrix units for 16-bit tokens.
//
// A state is a row of `columns` numbers, in two planes of bf16 whose sum it is (16 bits of mantissa). The first D * DV
// lie as the right operand of phi(Q) H takes them: for every 16 features and 8 value columns 64 words, a pair of words
// per lane. Then z_j, and zeros. Aggregation does not care: it adds rows.
#pragma once

#include "tercet/dev/group.cuh"
#include "tercet/dev/key_operands.cuh"
#include "tercet/dev/state_row.cuh"

namespace tercet::dev {

/// A block of the transposed state in registers of WARPS warps: COLS value columns; 16 features of every WARPS x 16.
template <int D, int COLS, int WARPS> struct StateTile {
  static constexpr int blocks = (D / 16 + WARPS - 1) / WARPS;
  float at[blocks][COLS / 16][2][4];

  TERCET_DEVICE StateTile() {
#pragma unroll
    for (int i = 0; i < blocks * COLS / 2; ++i)
      (&at[0][0][0][0])[i] = 0;
  }

  template <int ROWS> TERCET_DEVICE void add(const SplitPlanes<ROWS, D> &keys, const SplitPlanes<ROWS, COLS> &values) {
    const u32 first = warp();
#pragma unroll 1
    for (int k = 0; k < ROWS / 16; ++k) {
      u32 left[2][COLS / 16][4];
#pragma unroll
      for (int plane = 0; plane < 2; ++plane)
#pragma unroll
        for (int m = 0; m < COLS / 16; ++m)
          load_matrices_transposed(left[plane][m], values.address(plane) +
                                                       (16 * k + lane() / 16 * 8 + lane() % 8) * values.row_bytes +
                                                       32 * m + lane() / 8 % 2 * 16);
#pragma unroll
      for (int b = 0; b < blocks; ++b) {
        const u32 block = first + WARPS * b;
        if (block < D / 16) {
          u32 right[2][4];
#pragma unroll
          for (int plane = 0; plane < 2; ++plane)
            load_matrices_transposed(right[plane], keys.address(plane) + (16 * k + lane() % 16) * keys.row_bytes +
                                                       32 * block + lane() / 16 * 16);
#pragma unroll
          for (int m = 0; m < COLS / 16; ++m)
#pragma unroll
            for (int n = 0; n < 2; ++n) {
              multiply<bf16>(at[b][m][n], left[0][m], right[0][2 * n], right[0][2 * n + 1]);
              multiply<bf16>(at[b][m][n], left[0][m], right[1][2 * n], right[1][2 * n + 1]);
              multiply<bf16>(at[b][m][n], left[1][m], right[0][2 * n], right[0][2 * n + 1]);
            }
        }
      }
    }
  }

  /// Writes value columns from `col` on to a state row of a plane and the same row of the plane after it.
  template <int DV> TERCET_DEVICE void store(bf16 *state, index plane, int col) const {
    const u32 first = warp();
#pragma unroll
    for (int b = 0; b < blocks; ++b) {
      const u32 block = first + WARPS * b;
      if (block < D / 16)
#pragma unroll
        for (int m = 0; m < COLS / 16; ++m)
#pragma unroll
          for (int half = 0; half < 2; ++half) {
            const SplitPair x = split(at[b][m][0][2 * half], at[b][m][0][2 * half + 1]);
            const SplitPair y = split(at[b][m][1][2 * half], at[b][m][1][2 * half + 1]);
            bf16 *to = state + ((block * (DV / 8) + col / 8 + 2 * m + half) * 32 + lane()) * 4;
            *reinterpret_cast<uint2 *>(to) = uint2{x.high, y.high};
            *reinterpret_cast<uint2 *>(to + plane) = uint2{x.low, y.low};
          }
    }
  }

  /// Writes value columns from `col` on as rows of f32, [value][feature].
  template <int STRIDE> TERCET_DEVICE void store_rows(float *to, int col) const {
    const u32 first = warp();
#pragma unroll
    for (int b = 0; b < blocks; ++b) {
      const int block = static_cast<int>(first) + WARPS * b;
      if (block < D / 16)
#pragma unroll
        for (int m = 0; m < COLS / 16; ++m)
#pragma unroll
          for (int n = 0; n < 2; ++n)
#pragma unroll
            for (int half = 0; half < 2; ++half) {
              const int value = col + 16 * m + 8 * half + static_cast<int>(lane()) / 4;
              const int feature = 16 * block + 8 * n + 2 * static_cast<int>(lane() % 4);
              *reinterpret_cast<float2 *>(to + value * STRIDE + feature) =
                  float2{at[b][m][n][2 * half], at[b][m][n][2 * half + 1]};
            }
    }
  }
};

/// The shared memory of key_states, in bytes.
template <int D, int COLS, int ROWS>
constexpr int key_states_bytes = SplitPlanes<ROWS, D>::bytes + SplitPlanes<ROWS, COLS>::bytes;

/// phi(X)^T V of the rows first .. first + live - 1 of a block, at most BLOCK, in parts of ROWS; value columns COLS chunk ..
/// COLS chunk + COLS - 1. To `state` and the row `plane` elements after it. weights.features(r): a factor of the features of row
/// first + r; weights.ones(r): what z sums in place of ones. weight: pack_weight's planes, or null (PROJECTS = false).
template <int THREADS, int MAP, int BLOCK, int ROWS, int COLS, bool PROJECTS, class Element, int D, class ValueRows,
          class Weights>
TERCET_DEVICE void put_state(u8 *shared, Rows<Element, D> key_rows, ValueRows value_rows, index block_first, index live,
                             index chunk, const float *weight, bf16 *state, index plane, Weights weights) {
  constexpr int padded_d = (D + 15) / 16 * 16, padded_dv = (ValueRows::cols + 15) / 16 * 16, warps = THREADS / 32;
  using State = StateRow<padded_d, padded_dv>;
  using Keys = SplitPlanes<ROWS, padded_d>;
  using Values = SplitPlanes<ROWS, COLS>;
  const Keys keys = {reinterpret_cast<u32 *>(shared)};
  const Values values = {reinterpret_cast<u32 *>(shared + Keys::bytes)};
  const int thread = static_cast<int>(threadIdx.x), col = static_cast<int>(chunk) * COLS;

  StateTile<padded_d, COLS, warps> tile;
  constexpr int sums = (padded_d / 2 + THREADS - 1) / THREADS;
  float2 z[sums] = {};
#pragma unroll 1
  for (int part = 0; part < BLOCK && part < live; part += ROWS) {
    const index first = block_first + part, left = live - part;
    put_features<MAP, warps>(keys, key_rows, first, left, [&](int r) { return weights.features(part + r); });
    if (PROJECTS)
      put_projected<warps, padded_dv>(values, value_rows, first, left, col, reinterpret_cast<const u32 *>(weight));
    else
      put_values<THREADS>(values, value_rows, first, left, col);
    __syncthreads();
    tile.add(keys, values);
#pragma unroll
    for (int i = 0; i < sums; ++i)
      if (const int pair = thread + i * THREADS; chunk == 0 && 2 * pair < padded_d)
        for (int r = 0; r < 2 * ROWS; ++r) { // both planes
          const u32 x = keys.words[r * Keys::row_words + pair];
          const float one = weights.ones(part + r % ROWS);
          z[i].x = fmaf(one, __uint_as_float(x << 16), z[i].x);
          z[i].y = fmaf(one, __uint_as_float(x & 0xffff0000u), z[i].y);
        }
    __syncthreads();
  }
  tile.template store<padded_dv>(state, plane, col);
  if (chunk == 0)
    for (int pair = thread; 2 * pair < State::columns - State::z; pair += THREADS) {
      SplitPair parts = {0, 0};
#pragma unroll
      for (int i = 0; i < sums; ++i)
        if (pair == thread + i * THREADS && 2 * pair < padded_d)
          parts = split(z[i].x, z[i].y);
      u32 *to = reinterpret_cast<u32 *>(state + State::z) + pair;
      to[0] = parts.high;
      to[plane / 2] = parts.low;
    }
}

/// Key block `block` of pair g: states [2][g][blocks][columns]; see put_state. CENTRES: values are taken less a centre per
/// pair, [g][padded DV].
template <int THREADS, class Element, int MAP, int D, int DV, int BLOCK, int ROWS, int COLS, bool PROJECTS, int SHARED,
          bool TILES = false, bool CENTRES = false>
TERCET_DEVICE void key_states(u8 *shared, index block, index g, index chunk, index pairs, Element *k, index k_batch,
                              index k_head, index k_row, Element *v, index v_batch, index v_head, index v_row,
                              const i32 *lengths, index key_heads, index tokens, index first_pair, const float *weight,
                              float *states, const float *centres = nullptr) {
  constexpr int padded_d = (D + 15) / 16 * 16, padded_dv = (DV + 15) / 16 * 16;
  static_assert(key_states_bytes<padded_d, COLS, ROWS> <= SHARED, "both operands fit");
  using State = StateRow<padded_d, padded_dv>;
  const GroupHead head = group_head(g, first_pair, key_heads, 1);
  const index live = tokens_of_block<BLOCK, TILES>(lengths, head.batch, tokens, block);
  const index blocks = ceil_div(tokens, BLOCK), plane = pairs * blocks * State::columns;
  const Rows<Element, D> key_rows = {k + head_offset(head.batch, k_batch, head.key_head, k_head), k_row};
  const Rows<Element, DV> value_rows = {v + head_offset(head.batch, v_batch, head.key_head, v_head), v_row};
  bf16 *state = reinterpret_cast<bf16 *>(states) + (g * blocks + block) * State::columns;
  put_state<THREADS, MAP, BLOCK, ROWS, COLS, PROJECTS>(
      shared, key_rows, rows_less<CENTRES>(value_rows, centres + (CENTRES ? g * padded_dv : 0)), block * BLOCK, live,
      chunk, weight, state, plane, PlainRows());
}

} // namespace tercet::dev
