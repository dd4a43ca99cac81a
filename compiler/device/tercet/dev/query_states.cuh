// States of query blocks for the backward: dH_i = (phi(Q_i) / den)^T dO_i and dZ_i = -(phi(Q_i) / den)^T D, laid out as those of
// key blocks, so that the same kernels sum them.
#pragma once

#include "tercet/dev/key_states.cuh"
#include "tercet/dev/key_states_f32.cuh"

namespace tercet::dev {

/// Of the rows of a block: 1 / den and D, 0 where a row has no part; see query_gradient.
struct DividedRows {
  const float *reciprocals, *sums;
  index live;
  TERCET_DEVICE float features(int r) const { return reciprocals[r]; }
  TERCET_DEVICE float ones(int r) const { return r < live ? -sums[r] : 0.0f; }
};

/// Query block `block` of head gr, value columns COLS chunk .. COLS chunk + COLS - 1: states [planes][heads][blocks][columns] of
/// StateRow, one plane of f32 for f32 tokens. live: rows of the head; reciprocals, sums: of its rows.
template <int THREADS, int MAP, int BLOCK, int ROWS, int COLS, int SHARED, class Element, int D, int DV>
TERCET_DEVICE void query_states(u8 *shared, index block, index gr, index chunk, index heads, index blocks, index live,
                                Rows<Element, D> q, Rows<Element, DV> gradient, Rows<float, 1> reciprocals,
                                Rows<float, 1> sums, float *states) {
  constexpr int padded_d = (D + 15) / 16 * 16, padded_dv = (DV + 15) / 16 * 16;
  using State = StateRow<padded_d, padded_dv>;
  const index first = block * BLOCK, in_block = live_in_block<BLOCK>(live, block);
  const index at = (gr * blocks + block) * State::columns;
  const DividedRows weights = {reciprocals.row(first), sums.row(first), in_block};
  if constexpr (sizeof(Element) == 4) {
    static_assert(key_states_f32_bytes<padded_d, COLS, ROWS> <= SHARED, "both operands fit");
    put_state_f32<THREADS, MAP, BLOCK, ROWS, COLS, false>(shared, q, gradient, first, in_block, chunk, nullptr,
                                                          states + at, weights);
  } else {
    static_assert(key_states_bytes<padded_d, COLS, ROWS> <= SHARED, "both operands fit");
    put_state<THREADS, MAP, BLOCK, ROWS, COLS, false>(shared, q, gradient, first, in_block, chunk, nullptr,
                                                      reinterpret_cast<bf16 *>(states) + at,
                                                      heads * blocks * State::columns, weights);
  }
}

} // namespace tercet::dev
