// Layer: an attention layer that learns: q = X_q M_q, k = X_k M_k, v = X_v M_v, o = attention(q, k, v), with w and b where the
// spec has a projection. Attention and its gradients are whatever it is given; the rest is a few loops.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tercet::test {

/// Row-major.
struct Matrix {
  int64_t rows = 0, columns = 0;
  std::vector<float> values;

  static Matrix zeros(int64_t rows, int64_t columns) {
    return {rows, columns, std::vector<float>(static_cast<size_t>(rows * columns))};
  }
  static Matrix identity(int64_t size);
  float *row(int64_t index) { return &values[static_cast<size_t>(index * columns)]; }
  const float *row(int64_t index) const { return &values[static_cast<size_t>(index * columns)]; }
};

Matrix product(const Matrix &x, const Matrix &y);
/// x^T y
Matrix productOfColumns(const Matrix &x, const Matrix &y);
/// Sum of squares of the difference.
double squaredDistance(const Matrix &x, const Matrix &y);

using Matrices = std::map<std::string, Matrix>;

/// Forward and backward of attention: of q, k, v and what else the spec takes.
struct Differentiable {
  std::function<Matrix(const Matrices &inputs)> forward;
  /// "dq" and so on for the inputs of the last forward.
  std::function<Matrices(const Matrix &gradient)> backward;
};

class Layer {
public:
  /// inputs: X_q, X_k and X_v, by "q", "k" and "v". parameters: M_q, M_k and M_v by these names, and w and b.
  Layer(Differentiable attention, Matrices inputs, Matrices parameters)
      : parameters(std::move(parameters)), attention(std::move(attention)), inputs(std::move(inputs)) {}

  Matrix forward() const;
  /// Steps of Adam (Kingma, Ba 2014) down |o - target|^2, with a rate that falls to 0 along half a cosine. Returns the loss
  /// before each step and after the last.
  std::vector<double> fit(const Matrix &target, int steps, const std::map<std::string, double> &rates);

  Matrices parameters;

private:
  Matrices gradients(const Matrix &ofOutput) const;

  Differentiable attention;
  Matrices inputs;
};

} // namespace tercet::test
