// Feature maps of the linear branch, element by element: softmax over the features of a token, ELU(x) + 1, relu.
#pragma once

#include "tercet/dev/number.cuh"

namespace tercet::dev {

/// What kernels name a map by.
enum : int { softmax_features = 0, elu_features = 1, relu_features = 2 };

/// e^x; the rounding of x log2 e is made up for, so that the relative error is that of exp2_approx.
TERCET_DEVICE float exponential(float x) {
  const float log2_e = 1.44269504f, rest = 1.92596303e-8f, ln_2 = 0.693147181f;
  const float y = x * log2_e;
  const float error = fmaf(x, rest, fmaf(x, log2_e, -y));
  const float power = exp2_approx(y);
  return y == -infinity() ? 0.0f : fmaf(power, error * ln_2, power);
}

/// A feature, before softmax divides by their sum; top: the largest x of the token.
template <int MAP> TERCET_DEVICE float feature(float x, float top) {
  if (MAP == softmax_features)
    return exponential(x - top);
  if (MAP == elu_features)
    return x > 0 ? x + 1 : exponential(x);
  return x > 0 ? x : 0;
}

} // namespace tercet::dev
