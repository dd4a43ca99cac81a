// Seeded data: reproducible, independent of shape order, and of the moments that the options state.
#include "tercet/dialect/reference/Data.h"
#include "support/SpecSource.h"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

static std::pair<double, double> moments(const Tensor &tensor) {
  double sum = 0, squares = 0, count = static_cast<double>(tensor.elements());
  for (int64_t h = 0; h < tensor.shape[1]; ++h)
    for (int64_t t = 0; t < tensor.shape[2]; ++t)
      for (int64_t c = 0; c < tensor.shape[3]; ++c) {
        double value = tensor.get(0, h, t, c);
        sum += value;
        squares += value * value;
      }
  return {sum / count, squares / count - sum / count * (sum / count)};
}

TEST_CASE("the same seed gives the same data, another seed or tensor another", "[data]") {
  Program program = programOf(specNamed("sla"));
  Shape shape{.heads = 2, .tokensQ = 30, .headDim = 16};
  Data first = makeData(program, shape, {.seed = 7}), again = makeData(program, shape, {.seed = 7});
  Data other = makeData(program, shape, {.seed = 8});
  REQUIRE(first.tensors.size() == 5);
  int same = 0;
  for (int64_t t = 0; t < 30; ++t) {
    CHECK(first["q"].get(0, 1, t, 3) == again["q"].get(0, 1, t, 3));
    same += first["q"].get(0, 1, t, 3) == other["q"].get(0, 1, t, 3);
    same += first["q"].get(0, 1, t, 3) == first["k"].get(0, 1, t, 3);
  }
  CHECK(same == 0);
  CHECK(first["w"].describe() == "[16, 16] f32");
  CHECK(first["b"].describe() == "[16] f32");
}

TEST_CASE("data has the moments that the options state", "[data]") {
  Program program = programOf(specNamed("dense"));
  Shape shape{.heads = 4, .tokensQ = 500, .headDim = 32}; // 64,000 values: a mean is off by 0.004 in standard deviation
  for (double structure : {0.0, 0.8}) {
    Data data = makeData(program, shape, {.scale = 4, .valueMean = 0.5, .structure = structure});
    auto [meanQ, varianceQ] = moments(data["q"]);
    auto [meanV, varianceV] = moments(data["v"]);
    CHECK(std::fabs(varianceQ - 16) < (structure > 0 ? 4 : 0.5)); // 16 directions of 32 numbers vary more
    CHECK(std::fabs(meanQ) < (structure > 0 ? 0.6 : 0.08));
    CHECK(std::fabs(meanV - 0.5) < 0.02);
    CHECK(std::fabs(varianceV - 1) < 0.03);
  }
}

TEST_CASE("clustered tokens are alike within a run of 64", "[data]") {
  Data data = makeData(programOf(specNamed("dense")), {.tokensQ = 128, .headDim = 64}, {.structure = 0.8});
  const Tensor &k = data["k"];
  double alike = 0, size = 0;
  for (int64_t c = 0; c < 64; ++c) {
    alike += k.get(0, 0, 3, c) * k.get(0, 0, 40, c);
    size += k.get(0, 0, 3, c) * k.get(0, 0, 3, c);
  }
  CHECK(alike / size > 0.4); // 0.64 on average
}

TEST_CASE("strided tensors have the views and the memory that they say", "[data]") {
  OwnedTensor padded = OwnedTensor::makeStrided(DType::bf16, {2, 3, 4, 5}, {0, 1, 2, 3});
  CHECK(padded.view().strides == std::array<int64_t, 4>{4 * 6 * 8, 6 * 8, 8, 1});
  CHECK(padded.bytes() == 2 * 4 * 6 * 8 * 2);
  CHECK(std::isnan(padded.view().get(1, 2, 3, 4)));
  CHECK(reinterpret_cast<uintptr_t>(padded.view().data) % 64 == 0);
  OwnedTensor turned = OwnedTensor::makeTokensFirst(DType::f32, {2, 3, 4, 5});
  CHECK(turned.view().shape == std::array<int64_t, 4>{2, 3, 4, 5});
  CHECK(turned.view().strides == std::array<int64_t, 4>{60, 5, 15, 1});
}
