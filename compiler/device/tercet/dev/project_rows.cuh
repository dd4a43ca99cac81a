// Rows times a square matrix, 16 rows per warp: V W^T less its centre, and phi(K) dH W for dV.
#pragma once

#include "tercet/dev/query_gradient.cuh"

namespace tercet::dev {

/// Rows row + 16 warp .. of `from`, of whose `rows` the first `live` are, times M^T. matrix: pack_weight's form of M for tokens of
/// Element, [2][PADDED][PADDED] of bf16, or for f32 transposed.
template <class Element, int PADDED, class From, class To, int WIDTH>
TERCET_DEVICE void project_rows(index row, index rows, index live, From from, const float *matrix, Rows<To, WIDTH> to) {
  const index first = row + 16 * warp();
  if (first >= rows)
    return;
  const auto at = [&](int half, int c) { return pair_or_zero(from, first + lane() / 4 + 8 * half, live, c); };
  Tile<16, PADDED> product = splat<16, PADDED>(0.0f);
  if constexpr (sizeof(Element) == 4) {
    add_times_state(product, WideState<PADDED, PADDED>{matrix}, 0, at);
  } else {
    const u32 *lines = reinterpret_cast<const u32 *>(matrix) + lane() / 4 * (PADDED / 2) + lane() % 4;
#pragma unroll 1
    for (int k = 0; k < PADDED / 16; ++k) {
      const SplitFragment left = split_fragment(k, at);
#pragma unroll
      for (int n = 0; n < PADDED / 8; ++n) {
        const u32 *x = lines + 8 * n * (PADDED / 2) + 8 * k, *rest = x + PADDED * PADDED / 2;
        multiply_split(product.at + 4 * n, left, uint2{x[0], x[4]}, uint2{rest[0], rest[4]});
      }
    }
  }
  store(product, to, first, rows);
}

/// The same of rows less a centre.
template <class Element, int PADDED, class From, int DV, class To, int WIDTH>
TERCET_DEVICE void project_centred(index row, index rows, index live, Rows<From, DV> from, Rows<float, PADDED> centre,
                                   const float *matrix, Rows<To, WIDTH> to) {
  project_rows<Element, PADDED>(row, rows, live, CentredRows<From, DV>{from, centre.base}, matrix, to);
}

} // namespace tercet::dev
