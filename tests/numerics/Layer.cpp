#include "Layer.h"

#include <cmath>

namespace tercet::test {

Matrix Matrix::identity(int64_t size) {
  Matrix matrix = zeros(size, size);
  for (int64_t index = 0; index < size; ++index)
    matrix.row(index)[index] = 1;
  return matrix;
}

Matrix product(const Matrix &x, const Matrix &y) {
  Matrix result = Matrix::zeros(x.rows, y.columns);
  for (int64_t i = 0; i < x.rows; ++i)
    for (int64_t t = 0; t < x.columns; ++t)
      for (int64_t j = 0; j < y.columns; ++j)
        result.row(i)[j] += x.row(i)[t] * y.row(t)[j];
  return result;
}

Matrix productOfColumns(const Matrix &x, const Matrix &y) {
  std::vector<double> sums(static_cast<size_t>(x.columns * y.columns));
  for (int64_t t = 0; t < x.rows; ++t)
    for (int64_t i = 0; i < x.columns; ++i)
      for (int64_t j = 0; j < y.columns; ++j)
        sums[static_cast<size_t>(i * y.columns + j)] += static_cast<double>(x.row(t)[i]) * y.row(t)[j];
  return {x.columns, y.columns, {sums.begin(), sums.end()}};
}

double squaredDistance(const Matrix &x, const Matrix &y) {
  double sum = 0;
  for (size_t index = 0; index < x.values.size(); ++index)
    sum += std::pow(static_cast<double>(x.values[index]) - y.values[index], 2);
  return sum;
}

Matrix Layer::forward() const {
  Matrices given = parameters; // w and b as they are
  for (const auto &[name, input] : inputs)
    given[name] = product(input, parameters.at(name));
  return attention.forward(given);
}

Matrices Layer::gradients(const Matrix &ofOutput) const {
  Matrices made = attention.backward(ofOutput), ours;
  for (const auto &[name, parameter] : parameters) {
    const Matrix &own = made.at("d" + name);
    auto input = inputs.find(name);
    ours[name] = input == inputs.end() ? own : productOfColumns(input->second, own);
  }
  return ours;
}

std::vector<double> Layer::fit(const Matrix &target, int steps, const std::map<std::string, double> &rates) {
  constexpr double firstDecay = 0.9, secondDecay = 0.99, smallest = 1e-12;
  std::map<std::string, std::vector<double>> first, second;
  std::vector<double> losses;
  for (int step = 1; step <= steps; ++step) {
    Matrix difference = forward();
    losses.push_back(squaredDistance(difference, target));
    for (size_t index = 0; index < difference.values.size(); ++index)
      difference.values[index] = 2 * (difference.values[index] - target.values[index]);
    double share = 0.5 * (1 + std::cos(M_PI * (step - 1) / steps));
    for (const auto &[name, gradient] : gradients(difference)) {
      double now = share * rates.at(name);
      std::vector<double> &m = first[name], &v = second[name];
      m.resize(gradient.values.size());
      v.resize(gradient.values.size());
      for (size_t index = 0; index < m.size(); ++index) {
        double g = gradient.values[index];
        m[index] = firstDecay * m[index] + (1 - firstDecay) * g;
        v[index] = secondDecay * v[index] + (1 - secondDecay) * g * g;
        double mean = m[index] / (1 - std::pow(firstDecay, step)),
               square = v[index] / (1 - std::pow(secondDecay, step));
        parameters.at(name).values[index] -= static_cast<float>(now * mean / (std::sqrt(square) + smallest));
      }
    }
  }
  losses.push_back(squaredDistance(forward(), target));
  return losses;
}

} // namespace tercet::test
