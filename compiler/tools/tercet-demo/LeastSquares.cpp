// Normal equations: a few unknowns, many rows. The squared condition number is harmless at f64 for four unknowns of
// order 1.
#include "LeastSquares.h"

#include <cmath>

namespace tercet::demo {

Result<std::vector<double>> solveCholesky(std::vector<double> a, std::vector<double> b) {
  const size_t n = b.size();
  TERCET_CHECK(a.size() == n * n, "a square matrix");
  // L replaces the lower triangle of A; L y = b, then L^T x = y, both in b.
  for (size_t column = 0; column < n; ++column) {
    double pivot = a[column * n + column];
    for (size_t k = 0; k < column; ++k)
      pivot -= a[column * n + k] * a[column * n + k];
    if (!(pivot > 0))
      return Status::make(Code::invalidArgument, "the matrix is not positive definite: pivot {} of {} is {}", column, n,
                          pivot);
    a[column * n + column] = std::sqrt(pivot);
    for (size_t row = column + 1; row < n; ++row) {
      double sum = a[row * n + column];
      for (size_t k = 0; k < column; ++k)
        sum -= a[row * n + k] * a[column * n + k];
      a[row * n + column] = sum / a[column * n + column];
    }
  }
  for (size_t row = 0; row < n; ++row) {
    for (size_t k = 0; k < row; ++k)
      b[row] -= a[row * n + k] * b[k];
    b[row] /= a[row * n + row];
  }
  for (size_t row = n; row-- > 0;) {
    for (size_t k = row + 1; k < n; ++k)
      b[row] -= a[k * n + row] * b[k];
    b[row] /= a[row * n + row];
  }
  return b;
}

Projection Projection::identity(int64_t size) {
  Projection projection{std::vector<float>(static_cast<size_t>(size * size)),
                        std::vector<float>(static_cast<size_t>(size))};
  for (int64_t i = 0; i < size; ++i)
    projection.weight[static_cast<size_t>(i * size + i)] = 1;
  return projection;
}

Result<Projection> fitProjection(std::span<const float> inputs, std::span<const float> targets, int64_t size) {
  TERCET_CHECK(inputs.size() == targets.size() && inputs.size() % static_cast<size_t>(size) == 0, "rows of one size");
  const size_t width = static_cast<size_t>(size), unknowns = width + 1, rows = inputs.size() / width;
  std::vector<double> normal(unknowns * unknowns), right(width * unknowns), row(unknowns, 1.0); // the last input is 1
  for (size_t r = 0; r < rows; ++r) {
    for (size_t i = 0; i < width; ++i)
      row[i] = inputs[r * width + i];
    for (size_t i = 0; i < unknowns; ++i) {
      for (size_t j = 0; j < unknowns; ++j)
        normal[i * unknowns + j] += row[i] * row[j];
      for (size_t output = 0; output < width; ++output)
        right[output * unknowns + i] += row[i] * targets[r * width + output];
    }
  }
  double trace = 0;
  for (size_t i = 0; i < unknowns; ++i)
    trace += normal[i * unknowns + i];
  for (size_t i = 0; i < unknowns; ++i)
    normal[i * unknowns + i] += 1e-9 * trace / static_cast<double>(unknowns);

  Projection projection;
  for (size_t output = 0; output < width; ++output) {
    auto begin = right.begin() + static_cast<std::ptrdiff_t>(output * unknowns);
    TERCET_TRY(std::vector<double> solution,
               solveCholesky(normal, {begin, begin + static_cast<std::ptrdiff_t>(unknowns)}));
    projection.weight.insert(projection.weight.end(), solution.begin(), solution.end() - 1);
    projection.bias.push_back(static_cast<float>(solution.back()));
  }
  return projection;
}

} // namespace tercet::demo
