// Numbers: base-2 exponential and logarithm of the special function unit, conversion to 16-bit floats.
#pragma once

#include "tercet/dev/types.cuh"

namespace tercet::dev {

TERCET_DEVICE float infinity() { return __int_as_float(0x7f800000); }

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

} // namespace tercet::dev
