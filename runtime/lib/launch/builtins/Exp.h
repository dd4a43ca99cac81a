// Exp: the exponential of eight floats, the same bits at every CPU level (the library is compiled without contraction).
#pragma once

#include "Elements.h"

namespace tercet::rt {

/// exp(x) for x <= 0 within 2 ulp; 0 below -87 (subnormals are flushed in work items anyway), whatever for NaN.
[[gnu::always_inline]] inline Float8 expOfNegative(const Float8 &x) {
  constexpr float log2e = 1.44269504f, ln2High = 0.693359375f, ln2Low = -2.12194440e-4f; // their sum is ln 2
  constexpr float magic = 12582912.0f; // 1.5 * 2^23: adding it rounds to an integer in the low bits
  Float8 least = Float8{} - 87.0f;
  Float8 clamped = x < least ? least : x;
  Float8 shifted = clamped * log2e + magic, power = shifted - magic;
  Float8 r = clamped - power * ln2High - power * ln2Low;
  // The Taylor polynomial of degree 7 on |r| <= ln(2) / 2: its error is below 2^-27.
  Float8 sum = r * (1.0f / 5040) + 1.0f / 720;
  sum = sum * r + 1.0f / 120;
  sum = sum * r + 1.0f / 24;
  sum = sum * r + 1.0f / 6;
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  Int8 exponent = ((Int8)shifted - 0x4b400000 + 127) << 23;
  Float8 result = sum * (Float8)exponent;
  return x < least ? Float8{} : result;
}

} // namespace tercet::rt
