// The projection's fit, on systems whose solutions are known by construction.
#include "LeastSquares.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <random>

using namespace tercet;
using namespace tercet::demo;

namespace {

std::vector<float> gaussianRows(size_t count, uint64_t seed) {
  std::mt19937_64 bits(seed);
  std::normal_distribution<float> gaussian;
  std::vector<float> values(count);
  for (float &value : values)
    value = gaussian(bits);
  return values;
}

std::vector<float> apply(const Projection &projection, const std::vector<float> &inputs, size_t size) {
  std::vector<float> outputs(inputs.size());
  for (size_t row = 0; row < inputs.size() / size; ++row)
    for (size_t o = 0; o < size; ++o) {
      outputs[row * size + o] = projection.bias[o];
      for (size_t i = 0; i < size; ++i)
        outputs[row * size + o] += projection.weight[o * size + i] * inputs[row * size + i];
    }
  return outputs;
}

double squaredDistance(const std::vector<float> &left, const std::vector<float> &right) {
  double sum = 0;
  for (size_t i = 0; i < left.size(); ++i)
    sum += (double(left[i]) - right[i]) * (double(left[i]) - right[i]);
  return sum;
}

} // namespace

TEST_CASE("Cholesky solves a system worked by hand", "[demo]") {
  // A = L L^T with L = [[2, 0, 0], [1, 3, 0], [4, 5, 1]], and b = A (1, -2, 3).
  Result<std::vector<double>> x = solveCholesky({4, 2, 8, 2, 10, 19, 8, 19, 42}, {24, 39, 96});
  REQUIRE(x.ok());
  // Exact in f64 up to a few roundings of numbers below 100.
  CHECK((*x)[0] == Approx(1).margin(1e-11));
  CHECK((*x)[1] == Approx(-2).margin(1e-11));
  CHECK((*x)[2] == Approx(3).margin(1e-11));
}

TEST_CASE("Cholesky refuses a matrix that is not positive definite, and says at which pivot", "[demo]") {
  Result<std::vector<double>> x = solveCholesky({1, 2, 2, 1}, {1, 1});
  REQUIRE(!x.ok());
  CHECK(x.status().code() == Code::invalidArgument);
  CHECK(x.status().message() == "the matrix is not positive definite: pivot 1 of 2 is -3");
}

TEST_CASE("a fit finds the projection that made the targets", "[demo]") {
  Projection made{{0.5f, -1, 2, 0.25f, 3, -0.75f, 1, 1, -2}, {0.1f, -0.2f, 4}};
  std::vector<float> inputs = gaussianRows(3 * 500, 1);
  Result<Projection> fitted = fitProjection(inputs, apply(made, inputs, 3), 3);
  REQUIRE(fitted.ok());
  // Targets are rounded to f32, and the ridge pulls by 1e-9.
  for (size_t i = 0; i < 9; ++i)
    CHECK(fitted->weight[i] == Approx(made.weight[i]).margin(1e-6));
  for (size_t i = 0; i < 3; ++i)
    CHECK(fitted->bias[i] == Approx(made.bias[i]).margin(1e-6));
}

TEST_CASE("no projection near the fit comes closer to noisy targets", "[demo]") {
  std::vector<float> inputs = gaussianRows(3 * 200, 2), targets = gaussianRows(3 * 200, 3);
  Result<Projection> fitted = fitProjection(inputs, targets, 3);
  REQUIRE(fitted.ok());
  double best = squaredDistance(apply(*fitted, inputs, 3), targets);
  for (size_t unknown = 0; unknown < 12; ++unknown)
    for (float step : {-0.01f, 0.01f}) {
      Projection moved = *fitted;
      (unknown < 9 ? moved.weight[unknown] : moved.bias[unknown - 9]) += step;
      CAPTURE(unknown, step);
      CHECK(squaredDistance(apply(moved, inputs, 3), targets) > best);
    }
}

TEST_CASE("inputs of one colour still have a fit, which meets the mean of the targets", "[demo]") {
  std::vector<float> inputs(3 * 50, 0.5f), targets(3 * 50, 0.25f);
  Result<Projection> fitted = fitProjection(inputs, targets, 3);
  REQUIRE(fitted.ok());
  // The ridge of 1e-9 of the diagonal moves the answer by about as much.
  for (float value : apply(*fitted, inputs, 3))
    CHECK(value == Approx(0.25).margin(1e-6));
}

TEST_CASE("the identity projection changes nothing", "[demo]") {
  std::vector<float> inputs = gaussianRows(30, 4);
  CHECK(apply(Projection::identity(3), inputs, 3) == inputs);
}
