// PooledTokens: the pools of a compressed branch (docs/spec.md#compressed), for fp64 and fp32.
#pragma once

#include "RowMath.h"

#include <algorithm>

namespace tercet::reference {

/// Pool c: the rows of `tokens` from c * stride on, `length` of them or those that are left: their mean, or under `weights`
/// [heads, any] the sum in which the t-th row has the weight of entry t of `head`, an index beyond an axis standing for its
/// end. Rounded to `dtype`.
template <typename Real>
Matrix<Real> poolTokens(const Matrix<Real> &tokens, int64_t length, int64_t stride, const Tensor &weights, int64_t head,
                        DType dtype) {
  Matrix<Real> pools((tokens.rows + stride - 1) / stride, tokens.columns);
  for (int64_t pool = 0; pool < pools.rows; ++pool) {
    int64_t first = pool * stride, count = std::min(length, tokens.rows - first);
    for (int64_t t = 0; t < count; ++t) {
      Real weight = 1;
      if (weights)
        weight =
            static_cast<Real>(weights.get(std::min(head, weights.shape[0] - 1), std::min(t, weights.shape[1] - 1)));
      for (int64_t c = 0; c < tokens.columns; ++c)
        pools[pool][c] += weight * tokens[first + t][c];
    }
    for (int64_t c = 0; c < tokens.columns; ++c)
      pools[pool][c] = roundTo(dtype, weights ? pools[pool][c] : pools[pool][c] / static_cast<Real>(count));
  }
  return pools;
}

} // namespace tercet::reference
