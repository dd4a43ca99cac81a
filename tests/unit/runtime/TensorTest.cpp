#include "tercet/Tensor.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace tercet;

TEST_CASE("a contiguous tensor is dense and row-major", "[tensor]") {
  std::vector<float> data(24);
  Tensor tensor = Tensor::contiguous(data.data(), DType::f32, {2, 3, 4});
  CHECK(tensor.rank == 3);
  CHECK(tensor.elements() == 24);
  CHECK(tensor.strides == std::array<int64_t, 4>{12, 4, 1, 0});
  CHECK(tensor.shape[3] == 1);
  CHECK(tensor.describe() == "[2, 3, 4] f32");
}

TEST_CASE("elements are read and written in every dtype", "[tensor]") {
  for (DType dtype : {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i32, DType::i8}) {
    std::vector<char> data(6 * 8, 0);
    Tensor tensor = Tensor::contiguous(data.data(), dtype, {2, 3});
    tensor.set(-5, 1, 2);
    INFO(dtypeName(dtype));
    CHECK(tensor.get(1, 2) == -5);
    CHECK(tensor.get(1, 1) == 0);
  }
}

TEST_CASE("writing a double to a narrow float rounds once", "[tensor]") {
  uint16_t bits = 0;
  Tensor tensor = Tensor::contiguous(&bits, DType::f16, {1});
  // Just above the tie between 1 and the next half: through float it would become the tie and round down to 1.
  tensor.set(1.0 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40), 0);
  CHECK(bits == 0x3c01);
}

TEST_CASE("dtype names are read back", "[tensor]") {
  DType dtype = DType::i8;
  CHECK(parseDType("bf16", dtype));
  CHECK(dtype == DType::bf16);
  CHECK_FALSE(parseDType("float32", dtype));
}
