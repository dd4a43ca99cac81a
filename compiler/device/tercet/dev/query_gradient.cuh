// The linear branch's part of dQ, 16 rows per warp, and two numbers per row that the states of query blocks take.
//
// With G = dO H^T, where H has W folded in, and den = phi(Q) Z + eps:  D = <phi(Q), G> / den, the row's sum of dO O_l W^T;
// dphi(Q) = (G - D Z) / den, whose sum of products with phi(Q) is D eps / den; dQ = J^T dphi(Q).
//
// H is that of values less a centre u, times W^T: H - Z u^T. What is left of G and of D, G - s Z and D - s with s = dO . u, makes the
// same dphi(Q), but not as a difference of the large numbers that values far from 0 make. Key gradients have D - s, too.
#pragma once

#include "tercet/dev/centred_rows.cuh"
#include "tercet/dev/linear_rows.cuh"
#include "tercet/dev/linear_state.cuh"

namespace tercet::dev {

/// The features of rows own and own + 8, a pair of columns at a time.
template <int MAP, class Element, int D> struct FeaturePairs {
  Rows<Element, D> rows;
  index own, live;
  RowFactors factors;
  TERCET_DEVICE float2 operator()(int half, int c) const {
    const float2 x = query_features<MAP>(rows, own + 8 * half, live, c, factors.top[half]);
    return {x.x * factors.unit[half], x.y * factors.unit[half]};
  }
};

/// sums[half] += the products of columns col .. of `tile` with the features there.
template <class Features, int COLS>
TERCET_DEVICE void add_products(float (&sums)[2], const Tile<16, COLS> &tile, int col, const Features &features) {
#pragma unroll
  for (int i = 0; i < tile.size; i += 2) {
    const int half = tile.row_of(i);
    const float2 f = features(half, col + static_cast<int>(tile.col_of(i)));
    sums[half] = fmaf(f.x, tile.at[i], fmaf(f.y, tile.at[i + 1], sums[half]));
  }
}

/// Rows row + 16 warp .. of the `rows` of a head, of which the first `live` are. BLOCK: rows of a query block, whose states follow
/// first_state; 0: all rows have the state first_state. centre: u. reciprocals: 1 / den; sums: D - s; both 0
/// where the row has no part.
template <int MAP, int BLOCK, class Element, int D, int DV, class To, int WIDTH>
TERCET_DEVICE void query_gradient(index row, index rows, index live, Rows<Element, D> q, Rows<Element, DV> gradient,
                                  const float *states, index first_state, index plane, float eps,
                                  Rows<float, (DV + 15) / 16 * 16> centre, Rows<float, 1> reciprocals,
                                  Rows<float, 1> sums, Rows<To, WIDTH> to) {
  constexpr int features = (D + 15) / 16 * 16, values = (DV + 15) / 16 * 16, cols = columns_at_once(features);
  const index first = row + 16 * warp();
  if (first >= rows)
    return;
  const index own = first + lane() / 4;
  const index block = BLOCK > 0 ? quotient(first, larger(BLOCK, 1)) : 0;
  const auto state = States<Element, features, values>::at(states, first_state + block, plane);
  const RowFactors factors = row_factors<MAP>(q, own, live, eps, [&](int c) { return state.z(c); });
  const FeaturePairs<MAP, Element, D> features_of = {q, own, live, factors};
  const auto of_output = [&](int half, int c) { return pair_or_zero(gradient, own + 8 * half, live, c); };
  Tile<16, cols> g;
  float d[2] = {0, 0}, s[2] = {0, 0}, mean[2];
#pragma unroll 1
  for (int col = 0; col < features; col += cols) {
    g = splat<16, cols>(0.0f);
    add_times_transposed(g, state, col, of_output);
    add_products(d, g, col, features_of);
  }
#pragma unroll 4
  for (int c = 2 * static_cast<int>(lane() % 4); c < DV; c += 8) {
    const float2 u = load_pair(centre.base + c);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float2 x = of_output(half, c);
      s[half] = fmaf(x.x, u.x, fmaf(x.y, u.y, s[half]));
    }
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    s[half] = quad_add(s[half]);
    d[half] = (quad_add(d[half]) - eps * s[half]) * factors.reciprocal[half];
    mean[half] = (d[half] + s[half]) * eps * factors.reciprocal[half];
  }
#pragma unroll 1
  for (int col = 0; col < features; col += cols) {
    if (cols < features) {
      g = splat<16, cols>(0.0f);
      add_times_transposed(g, state, col, of_output);
    }
#pragma unroll
    for (int i = 0; i < g.size; i += 2) {
      const int half = g.row_of(i), c = col + static_cast<int>(g.col_of(i));
      const float2 f = features_of(half, c), z = state.z(c);
      const float by = factors.reciprocal[half];
      g.at[i] = through_feature<MAP>(f.x, (g.at[i] - d[half] * z.x) * by, mean[half]);
      g.at[i + 1] = through_feature<MAP>(f.y, (g.at[i + 1] - d[half] * z.y) * by, mean[half]);
    }
    store_at(g, to, first, col, rows);
  }
  store(Tile<16, 1>{{factors.reciprocal[0], factors.reciprocal[1]}}, reciprocals, first, rows);
  store(Tile<16, 1>{{d[0], d[1]}}, sums, first, rows);
}

} // namespace tercet::dev
