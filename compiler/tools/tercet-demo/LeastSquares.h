// LeastSquares: W and b of SLA's projection, fitted where a model would have learned them.
#pragma once

#include "tercet/Status.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tercet::demo {

/// Solves A x = b for a symmetric positive definite A, row-major [n, n] with n = b.size(), by Cholesky's factorisation.
/// invalidArgument when A is not positive definite to rounding.
Result<std::vector<double>> solveCholesky(std::vector<double> a, std::vector<double> b);

/// o = l W^T + b: weight row-major [outputs, inputs], bias [outputs].
struct Projection {
  std::vector<float> weight, bias;

  static Projection identity(int64_t size);
};

/// The projection with the smallest sum of squares |inputs W^T + b - targets|^2 over all rows; inputs and targets are
/// row-major [rows, size]. By normal equations in f64, size + 1 unknowns per output, with a ridge of 1e-9 of the mean
/// diagonal, so that inputs that hold one colour only still have an answer.
Result<Projection> fitProjection(std::span<const float> inputs, std::span<const float> targets, int64_t size);

} // namespace tercet::demo
