// Numbers: exponentials and logarithm of the special function unit, conversion to 16-bit floats.
#pragma once

#include "tercet/dev/types.cuh"

namespace tercet::dev {

TERCET_DEVICE float infinity() { return __int_as_float(0x7f800000); }
TERCET_DEVICE float not_a_number() { return __int_as_float(0x7fffffff); }

/// 2^x; relative error 2^-22.5, 0 for -inf (PTX ISA, ex2.approx).
TERCET_DEVICE float exp2_approx(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// log2 x; absolute error 2^-22 near 1, relative 2^-22 elsewhere; -inf for 0 (PTX ISA, lg2.approx).
TERCET_DEVICE float log2_approx(float x) {
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// e^x; the rounding of x log2 e is made up for, so that the relative error is that of exp2_approx.
TERCET_DEVICE float exponential(float x) {
  const float log2_e = 1.44269504f, rest = 1.92596303e-8f, ln_2 = 0.693147181f;
  const float y = x * log2_e;
  const float error = fmaf(x, rest, fmaf(x, log2_e, -y));
  const float power = exp2_approx(y);
  return fabsf(y) < 128.0f ? fmaf(power, error * ln_2, power) : power; // beyond, 0 or infinity
}

/// Two values rounded to nearest even, `low` in the lower half: neighbours in memory and in a matrix fragment.
template <class Element> TERCET_DEVICE u32 pack(float low, float high);

template <> TERCET_DEVICE u32 pack<bf16>(float low, float high) {
  u32 pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

template <> TERCET_DEVICE u32 pack<f16>(float low, float high) {
  u32 pair;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

TERCET_DEVICE float to_float(bf16 x) { return __uint_as_float(static_cast<u32>(x.bits) << 16); }
TERCET_DEVICE float to_float(f16 x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
}
TERCET_DEVICE float to_float(float x) { return x; }

/// x rounded to nearest even.
template <class Element> TERCET_DEVICE Element round_one(float x) {
  return {static_cast<u16>(pack<Element>(x, x) & 0xffff)};
}
template <> TERCET_DEVICE float round_one<float>(float x) { return x; }

/// Two neighbours in memory.
template <class Element> TERCET_DEVICE float2 load_pair(const Element *from) {
  const u32 pair = *reinterpret_cast<const u32 *>(from);
  return {to_float(Element{static_cast<u16>(pair & 0xffff)}), to_float(Element{static_cast<u16>(pair >> 16)})};
}
template <> TERCET_DEVICE float2 load_pair<float>(const float *from) { return *reinterpret_cast<const float2 *>(from); }

/// Two values as sums of two bf16 each: 16 bits of mantissa, and the range of f32.
struct SplitPair {
  u32 high, low;
};
TERCET_DEVICE SplitPair split(float first, float second) {
  const u32 high = pack<bf16>(first, second);
  return {high, pack<bf16>(first - __uint_as_float(high << 16), second - __uint_as_float(high & 0xffff0000u))};
}

} // namespace tercet::dev
