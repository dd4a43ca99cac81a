// Rounding in integer arithmetic on the bits of a double, so that no rounding mode of the host matters.
#include "core/Numbers.h"

#include <algorithm>

namespace tercet::sim {

uint32_t narrow(double value, Format format, Rounding rounding) {
  const int mantissaBits = format.mantissaBits, bias = (1 << (format.exponentBits - 1)) - 1;
  const uint32_t infinity = ((1u << format.exponentBits) - 1) << mantissaBits;
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  const uint32_t sign = uint32_t(bits >> 63) << (format.exponentBits + mantissaBits);
  if (value != value)
    return infinity | ((1u << mantissaBits) - 1);
  if (std::isinf(value))
    return sign | infinity;
  if (value == 0)
    return sign;

  int exponent = int((bits >> 52) & 0x7ff) - 1023;
  uint64_t mantissa = bits & ((uint64_t{1} << 52) - 1);
  if (exponent == -1023) { // a denormal double
    int shift = std::countl_zero(mantissa) - 11;
    mantissa <<= shift;
    exponent = -1022 - shift;
  } else {
    mantissa |= uint64_t{1} << 52;
  }
  // Drop so many bits that the format's mantissa is left; more of them for its denormals.
  int drop = 52 - mantissaBits;
  int field = exponent + bias;
  if (field < 1)
    drop += 1 - field;
  uint64_t kept = 0, rest = mantissa, half = 0;
  if (drop <= 53) {
    kept = mantissa >> drop;
    rest = mantissa & ((uint64_t{1} << drop) - 1);
    half = uint64_t{1} << (drop - 1);
  } else {
    half = ~uint64_t{0};
  }
  bool negative = sign != 0, upwards = false;
  switch (rounding) {
  case Rounding::nearestEven:
    upwards = rest > half || (rest == half && (kept & 1));
    break;
  case Rounding::nearestAway:
    upwards = rest >= half;
    break;
  case Rounding::towardZero:
    break;
  case Rounding::down:
    upwards = negative && rest;
    break;
  case Rounding::up:
    upwards = !negative && rest;
    break;
  }
  kept += upwards;
  // kept holds the leading bit of a normal number, which adds one to the exponent field.
  uint64_t out = field < 1 ? kept : (uint64_t(field - 1) << mantissaBits) + kept;
  if (out >= infinity) {
    bool stays = rounding == Rounding::towardZero || (rounding == Rounding::down && !negative) ||
                 (rounding == Rounding::up && negative);
    out = stays ? infinity - 1 : infinity;
  }
  return sign | uint32_t(out);
}

double widen(uint32_t bits, Format format) {
  const int mantissaBits = format.mantissaBits, bias = (1 << (format.exponentBits - 1)) - 1;
  uint32_t exponent = (bits >> mantissaBits) & ((1u << format.exponentBits) - 1);
  uint32_t mantissa = bits & ((1u << mantissaBits) - 1);
  bool negative = (bits >> (format.exponentBits + mantissaBits)) & 1;
  double magnitude;
  if (exponent == (1u << format.exponentBits) - 1)
    magnitude = mantissa ? std::nan("") : HUGE_VAL;
  else if (exponent == 0)
    magnitude = std::ldexp(double(mantissa), 1 - bias - mantissaBits);
  else
    magnitude = std::ldexp(double(mantissa | (1u << mantissaBits)), int(exponent) - bias - mantissaBits);
  return negative ? -magnitude : magnitude;
}

} // namespace tercet::sim
