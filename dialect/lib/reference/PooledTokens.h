// PooledTokens: the pools of a compressed branch (docs/spec.md#compressed), for fp64 and fp32.
#pragma once

#include "RowMath.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace tercet::reference {

/// Tokens of pools, each ascending.
using PoolMembers = std::vector<std::vector<int64_t>>;

/// `length` tokens from `first` on, or those below `tokens`.
inline std::vector<int64_t> runOfTokens(int64_t first, int64_t length, int64_t tokens) {
  std::vector<int64_t> run(std::min(length, tokens - first));
  std::iota(run.begin(), run.end(), first);
  return run;
}

/// Per pool the mean of its rows of `tokens`, or under `weights` [heads, any] the sum in which its t-th row has the weight
/// of entry t of `head`, an index beyond an axis standing for its end. Rounded to `dtype`.
template <typename Real>
Matrix<Real> poolTokens(const Matrix<Real> &tokens, const PoolMembers &members, const Tensor &weights, int64_t head,
                        DType dtype) {
  Matrix<Real> pools(static_cast<int64_t>(members.size()), tokens.columns);
  for (int64_t pool = 0; pool < pools.rows; ++pool) {
    auto count = static_cast<int64_t>(members[pool].size());
    for (int64_t t = 0; t < count; ++t) {
      Real weight = 1;
      if (weights)
        weight =
            static_cast<Real>(weights.get(std::min(head, weights.shape[0] - 1), std::min(t, weights.shape[1] - 1)));
      for (int64_t c = 0; c < tokens.columns; ++c)
        pools[pool][c] += weight * tokens[members[pool][t]][c];
    }
    for (int64_t c = 0; c < tokens.columns; ++c)
      pools[pool][c] = roundTo(dtype, weights ? pools[pool][c] : pools[pool][c] / static_cast<Real>(count));
  }
  return pools;
}

} // namespace tercet::reference
