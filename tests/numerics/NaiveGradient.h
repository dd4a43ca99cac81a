// NaiveGradient: the gradients of softmax attention in fp64 with plain loops, as docs/gradients.md writes them, pair by pair and
// without any part of the compiler or the oracle.
#pragma once

#include "tercet/Tensor.h"

#include <functional>
#include <vector>

namespace tercet::test {

/// Row-major.
struct Gradients {
  std::vector<double> dq, dk, dv;
};

struct NaiveAttention {
  Tensor q, k, v, gradient; ///< gradient: dO
  double scale = 1;
  std::vector<int32_t> queryLengths, keyLengths; ///< empty: none
  /// Whether a pair takes part; batch, query head, query, key.
  std::function<bool(int64_t, int64_t, int64_t, int64_t)> allowed = [](auto...) { return true; };
  /// What becomes of a score, and the derivative of that.
  std::function<std::pair<double, double>(double, int64_t, int64_t, int64_t, int64_t)> score = [](double s, auto...) {
    return std::pair(s, 1.0);
  };
};

Gradients naiveGradients(const NaiveAttention &attention);

} // namespace tercet::test
