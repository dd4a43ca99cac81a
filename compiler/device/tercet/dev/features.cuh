// Feature maps of the linear branch, element by element: softmax over the features of a token, ELU(x) + 1, relu; and their
// derivatives.
#pragma once

#include "tercet/dev/number.cuh"

namespace tercet::dev {

/// What kernels name a map by.
enum : int { softmax_features = 0, elu_features = 1, relu_features = 2 };

/// A feature, before softmax divides by their sum; top: the largest x of the token.
template <int MAP> TERCET_DEVICE float feature(float x, float top) {
  if (MAP == softmax_features)
    return exponential(x - top);
  if (MAP == elu_features)
    return x > 0 ? x + 1 : exponential(x);
  return x > 0 ? x : 0;
}

/// What the derivative by a feature f hands on to its element: by f where it is not 0, which tells the sides of 0 apart.
/// mean: the sum over the token of features times derivatives.
template <int MAP> TERCET_DEVICE float through_feature(float f, float derivative, float mean) {
  if (MAP == softmax_features)
    return f * (derivative - mean);
  if (MAP == elu_features)
    return f > 1 ? derivative : f * derivative;
  return f > 0 ? derivative : 0;
}

} // namespace tercet::dev
