// Bits and numbers: the canonical NaN, flushed denormals, narrow formats, directed rounding.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace tercet::sim {

constexpr uint32_t canonicalNan = 0x7fffffff; ///< what f32 arithmetic gives for every NaN
constexpr uint64_t canonicalNan64 = 0xfff8000000000000;

inline float asFloat(uint32_t bits) { return std::bit_cast<float>(bits); }
inline double asDouble(uint64_t bits) { return std::bit_cast<double>(bits); }
/// The bits of a result of f32 arithmetic.
inline uint32_t floatBits(float value) { return value != value ? canonicalNan : std::bit_cast<uint32_t>(value); }
inline uint64_t doubleBits(double value) { return std::bit_cast<uint64_t>(value); }

/// Denormals to zeros of the same sign.
inline uint32_t flush(uint32_t bits) { return (bits & 0x7f800000) ? bits : bits & 0x80000000; }
/// To [0, 1]; NaN to 0.
inline uint32_t saturate(uint32_t bits) {
  float value = asFloat(bits);
  return value > 0 ? (value < 1 ? bits : std::bit_cast<uint32_t>(1.0f)) : 0;
}

enum class Rounding : uint8_t { nearestEven, towardZero, down, up, nearestAway };

/// A binary format with an implicit leading bit: exponent and mantissa bits, with infinities and NaNs unless `finite`.
struct Format {
  int exponentBits;
  int mantissaBits;
};
constexpr Format halfFormat{5, 10}, bfloatFormat{8, 7}, singleFormat{8, 23}, tensorFormat{8, 10};

/// The format's bits nearest to `value` in the rounding's sense; NaN gives the format's canonical NaN (all ones below the sign).
uint32_t narrow(double value, Format format, Rounding rounding);
/// The value of a format's bits.
double widen(uint32_t bits, Format format);

/// A result `rounded` to double that lost `rest`: rounded to odd instead, which any narrower format then rounds as if it
/// had seen the exact value.
inline double roundToOdd(double rounded, double rest) {
  uint64_t bits = std::bit_cast<uint64_t>(rounded);
  if (rest == 0 || (bits & 1) || rest != rest || std::isinf(rounded))
    return rounded;
  bool away = (rest > 0) == (rounded > 0);
  return std::bit_cast<double>(away ? bits + 1 : bits - 1);
}
/// a + b, rounded to odd.
inline double oddSum(double a, double b) {
  double sum = a + b, part = sum - a;
  return roundToOdd(sum, (a - (sum - part)) + (b - part));
}

/// Fast forms of the common cases.
inline float bfloatToFloat(uint32_t bits) { return asFloat(bits << 16); }
inline uint32_t floatToBfloat(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return 0x7fff;
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}
inline float halfToFloatFast(uint32_t bits) {
  // The exponent is moved by a multiplication, which also makes denormals right.
  uint32_t shifted = (bits & 0x7fff) << 13;
  float magnitude = asFloat(shifted) * asFloat(0x77800000); // 2^112
  uint32_t out = (bits & 0x7c00) == 0x7c00 ? shifted | 0x7f800000 : std::bit_cast<uint32_t>(magnitude);
  return asFloat(out | (bits & 0x8000) << 16);
}

} // namespace tercet::sim
