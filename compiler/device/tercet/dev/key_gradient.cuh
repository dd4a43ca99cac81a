// The linear branch's part of dK and of dV, 16 rows per warp, from the state dH, dZ of a key block: the sum of those of the
// query blocks that have it in their set, made of dO as it is.
//
//   dphi(K) = V W^T dH^T + dZ,  dK = J^T dphi(K),  dV W^-1 = phi(K) dH
//
// where V is less its centre, as dZ has it (query_gradient.cuh).
#pragma once

#include "tercet/dev/query_gradient.cuh"

namespace tercet::dev {

/// Rows row + 16 warp .. of the `rows` of a pair, of which the first `live` are; values_of: V W^T, or V without a projection.
/// BLOCK: rows of a key block, whose states follow first_state; 0: all rows have the state first_state. to_values takes phi(K) dH.
template <int MAP, int BLOCK, class Element, int D, class Values, class ToKeys, int WIDTH, class ToValues,
          int VALUE_WIDTH>
TERCET_DEVICE void key_gradient(index row, index rows, index live, Rows<Element, D> k, Values values_of,
                                const float *states, index first_state, index plane, Rows<ToKeys, WIDTH> to_keys,
                                Rows<ToValues, VALUE_WIDTH> to_values) {
  constexpr int features = (D + 15) / 16 * 16, values = (Values::cols + 15) / 16 * 16;
  constexpr int cols = columns_at_once(features), value_cols = columns_at_once(values);
  const index first = row + 16 * warp();
  if (first >= rows)
    return;
  const index own = first + lane() / 4;
  const index key_block = BLOCK > 0 ? quotient(first, larger(BLOCK, 1)) : 0;
  const auto state = States<Element, features, values>::at(states, first_state + key_block, plane);
  // Features alone: a denominator of 1.
  const RowFactors factors = row_factors<MAP>(k, own, live, 1.0f, [](int) { return float2{0, 0}; });
  const FeaturePairs<MAP, Element, D> features_of = {k, own, live, factors};
  Tile<16, cols> g;
  const auto make = [&](int col) {
    g = splat<16, cols>(0.0f);
    add_times_transposed(g, state, col,
                         [&](int half, int c) { return pair_or_zero(values_of, own + 8 * half, live, c); });
#pragma unroll
    for (int i = 0; i < g.size; ++i) {
      const float2 z = state.z(col + static_cast<int>(g.col_of(i)) - i % 2);
      g.at[i] += i % 2 == 0 ? z.x : z.y;
    }
  };
  float mean[2] = {0, 0};
  if (MAP == softmax_features || cols == features)
#pragma unroll 1
    for (int col = 0; col < features; col += cols) {
      make(col);
      if (MAP == softmax_features)
        add_products(mean, g, col, features_of);
    }
#pragma unroll
  for (int half = 0; half < 2; ++half)
    mean[half] = quad_add(mean[half]);
#pragma unroll 1
  for (int col = 0; col < features; col += cols) {
    if (cols < features)
      make(col);
#pragma unroll
    for (int i = 0; i < g.size; i += 2) {
      const int half = g.row_of(i);
      const float2 f = features_of(half, col + static_cast<int>(g.col_of(i)));
      g.at[i] = through_feature<MAP>(f.x, g.at[i], mean[half]);
      g.at[i + 1] = through_feature<MAP>(f.y, g.at[i + 1], mean[half]);
    }
    store_at(g, to_keys, first, col, rows);
  }
#pragma unroll 1
  for (int col = 0; col < values; col += value_cols) {
    Tile<16, value_cols> y = splat<16, value_cols>(0.0f);
    add_times_state(y, state, col, features_of);
    store_at(y, to_values, first, col, rows);
  }
}

/// The same from V as it is and its centre.
template <int MAP, int BLOCK, class Element, int D, int DV, int PADDED, class ToKeys, int WIDTH, class ToValues,
          int VALUE_WIDTH>
TERCET_DEVICE void centred_key_gradient(index row, index rows, index live, Rows<Element, D> k, Rows<Element, DV> v,
                                        Rows<float, PADDED> centre, const float *states, index first_state, index plane,
                                        Rows<ToKeys, WIDTH> to_keys, Rows<ToValues, VALUE_WIDTH> to_values) {
  key_gradient<MAP, BLOCK>(row, rows, live, k, CentredRows<Element, DV>{v, centre.base}, states, first_state, plane,
                           to_keys, to_values);
}

} // namespace tercet::dev
