#include "tercet/Tensor.h"

#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <limits>

using namespace tercet;

namespace {

/// The half nearest to `value` by search over all finite halves: ties to the even pattern.
uint16_t nearestHalf(double value) {
  if (std::fabs(value) >= 65520)
    return 0x7c00;
  uint16_t best = 0;
  for (uint16_t bits = 0; bits < 0x7c00; ++bits) {
    double distance = std::fabs(halfToFloat(bits) - value), bestDistance = std::fabs(halfToFloat(best) - value);
    if (distance < bestDistance || (distance == bestDistance && bits % 2 == 0))
      best = bits;
  }
  return best;
}

} // namespace

TEST_CASE("every half survives the way to float and back", "[float16]") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = halfToFloat(uint16_t(bits));
    if (std::isnan(value))
      CHECK(std::isnan(halfToFloat(floatToHalf(value))));
    else if (floatToHalf(value) != bits)
      FAIL("half " << bits << " came back as " << floatToHalf(value));
  }
}

TEST_CASE("halves have the values of the standard", "[float16]") {
  CHECK(halfToFloat(0x3c00) == 1.0f);
  CHECK(halfToFloat(0x7bff) == 65504.0f);
  CHECK(halfToFloat(0x0001) == std::ldexp(1.0f, -24));
  CHECK(halfToFloat(0x0400) == std::ldexp(1.0f, -14));
  CHECK(halfToFloat(0xfc00) == -std::numeric_limits<float>::infinity());
}

TEST_CASE("float to half rounds to nearest even, also among denormals and at overflow", "[float16]") {
  double values[] = {1.0,          1.00048828125, 1.0014648, 0.1,    3.14159, 65504,    65519.99,  65520, 1e6,
                     5.9604645e-8, 2.98023224e-8, 2.99e-8,   8.9e-8, 6.1e-5,  6.103e-5, 6.0975e-5, 1e-9};
  for (double value : values) {
    float asFloat = static_cast<float>(value);
    INFO(value);
    CHECK(floatToHalf(asFloat) == nearestHalf(asFloat));
    CHECK(floatToHalf(-asFloat) == (nearestHalf(asFloat) | 0x8000));
  }
}

TEST_CASE("float to bfloat16 rounds to nearest even and keeps NaN", "[float16]") {
  CHECK(floatToBfloat16(1.0f) == 0x3f80);
  CHECK(floatToBfloat16(std::bit_cast<float>(0x3f808000u)) == 0x3f80); // a tie, even below
  CHECK(floatToBfloat16(std::bit_cast<float>(0x3f818000u)) == 0x3f82); // a tie, even above
  CHECK(floatToBfloat16(std::bit_cast<float>(0x3f808001u)) == 0x3f81);
  CHECK(std::isnan(bfloat16ToFloat(floatToBfloat16(std::bit_cast<float>(0x7f800001u)))));
  CHECK(floatToBfloat16(std::numeric_limits<float>::max()) == 0x7f80);
}
