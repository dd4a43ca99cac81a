// What regions over pairs compute with (docs/spec.md#regions): 32-bit integers, functions of floats, reads of tables.
#pragma once

#include "tercet/dev/number.cuh"

namespace tercet::dev {

/// 32-bit two's complement: sums and products wrap, a division by 0 gives 0 and so does its remainder, shifts by 32 or
/// more give 0 or the sign.
struct Int {
  i32 value;

  Int() = default;
  TERCET_DEVICE constexpr explicit Int(index x) : value(static_cast<i32>(x)) {}
  TERCET_DEVICE constexpr explicit Int(i32 x) : value(x) {}
  TERCET_DEVICE constexpr explicit Int(u32 x) : value(static_cast<i32>(x)) {}
  /// As MLIR reads an i1: true is -1.
  TERCET_DEVICE constexpr explicit Int(bool x) : value(x ? -1 : 0) {}
  TERCET_DEVICE explicit operator index() const { return value; }
  TERCET_DEVICE explicit operator u32() const { return static_cast<u32>(value); }
  TERCET_DEVICE explicit operator float() const { return static_cast<float>(value); }
  /// The lowest bit.
  TERCET_DEVICE explicit operator bool() const { return (value & 1) != 0; }
};

TERCET_DEVICE Int operator+(Int a, Int b) { return Int(static_cast<u32>(a) + static_cast<u32>(b)); }
TERCET_DEVICE Int operator-(Int a, Int b) { return Int(static_cast<u32>(a) - static_cast<u32>(b)); }
TERCET_DEVICE Int operator*(Int a, Int b) { return Int(static_cast<u32>(a) * static_cast<u32>(b)); }
TERCET_DEVICE Int operator&(Int a, Int b) { return Int(a.value & b.value); }
TERCET_DEVICE Int operator|(Int a, Int b) { return Int(a.value | b.value); }
TERCET_DEVICE Int operator^(Int a, Int b) { return Int(a.value ^ b.value); }
TERCET_DEVICE bool operator==(Int a, Int b) { return a.value == b.value; }
TERCET_DEVICE bool operator!=(Int a, Int b) { return a.value != b.value; }
TERCET_DEVICE bool operator<(Int a, Int b) { return a.value < b.value; }
TERCET_DEVICE bool operator<=(Int a, Int b) { return a.value <= b.value; }
TERCET_DEVICE bool operator>(Int a, Int b) { return a.value > b.value; }
TERCET_DEVICE bool operator>=(Int a, Int b) { return a.value >= b.value; }

/// Towards 0. The least number over -1 is itself.
TERCET_DEVICE Int operator/(Int a, Int b) {
  return b.value == 0 ? Int(0) : b.value == -1 ? Int(0) - a : Int(a.value / b.value);
}
TERCET_DEVICE Int operator%(Int a, Int b) { return b.value == 0 || b.value == -1 ? Int(0) : Int(a.value % b.value); }
TERCET_DEVICE Int floor_div(Int a, Int b) {
  const Int whole = a / b, rest = a % b;
  return rest.value != 0 && (rest.value < 0) != (b.value < 0) ? whole - Int(1) : whole;
}
TERCET_DEVICE Int ceil_div(Int a, Int b) {
  const Int whole = a / b, rest = a % b;
  return rest.value != 0 && (rest.value < 0) == (b.value < 0) ? whole + Int(1) : whole;
}
TERCET_DEVICE Int operator<<(Int a, Int b) {
  return static_cast<u32>(b) < 32 ? Int(static_cast<u32>(a) << static_cast<u32>(b)) : Int(0);
}
TERCET_DEVICE Int operator>>(Int a, Int b) {
  return Int(a.value >> (static_cast<u32>(b) < 32 ? static_cast<u32>(b) : 31u));
}
TERCET_DEVICE Int smaller(Int a, Int b) { return a < b ? a : b; }
TERCET_DEVICE Int larger(Int a, Int b) { return a > b ? a : b; }
TERCET_DEVICE Int magnitude(Int a) { return a < Int(0) ? Int(0) - a : a; }

/// The same bits as a float, and these as a number again.
TERCET_DEVICE float bits_of(Int x) { return __int_as_float(x.value); }
TERCET_DEVICE u32 number_of(float bits) { return static_cast<u32>(__float_as_int(bits)); }

/// Towards 0; beyond the range its nearest end, 0 for NaN.
TERCET_DEVICE Int to_int(float x) { return Int(__float2int_rz(x)); }

/// Of which NaN is the result where one of them is NaN.
TERCET_DEVICE float maximum(float a, float b) {
  float larger;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(larger) : "f"(a), "f"(b));
  return larger;
}
TERCET_DEVICE float minimum(float a, float b) {
  float smaller;
  asm("min.NaN.f32 %0, %1, %2;" : "=f"(smaller) : "f"(a), "f"(b));
  return smaller;
}

/// a / b; at most 2 units in the last place off, over the full range (PTX ISA, div.full).
TERCET_DEVICE float divide(float a, float b) {
  float ratio;
  asm("div.full.f32 %0, %1, %2;" : "=f"(ratio) : "f"(a), "f"(b));
  return ratio;
}

/// Relative errors 2^-23 and 2^-22.9 (PTX ISA, sqrt.approx, rsqrt.approx).
TERCET_DEVICE float square_root(float x) {
  float root;
  asm("sqrt.approx.f32 %0, %1;" : "=f"(root) : "f"(x));
  return root;
}
TERCET_DEVICE float inverse_root(float x) {
  float root;
  asm("rsqrt.approx.f32 %0, %1;" : "=f"(root) : "f"(x));
  return root;
}

/// tanh x without a branch: from e^2|x|, and near 0, where that cancels, x + x^3 P(x^2) with P interpolated at Chebyshev's
/// nodes of [0, 0.36] (relative error 2^-26). Relative error below 2^-22.
TERCET_DEVICE float hyperbolic_tangent(float x) {
  const float size = fabsf(x), square = x * x;
  const float divisor = exp2_approx(2.88539008f * size) + 1;
  float inverse;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(divisor));
  const float far = copysignf(fmaf(-2.0f, inverse, 1.0f), x);
  float odd = -0.00626911971588f;
  odd = fmaf(odd, square, 0.0211109590463f);
  odd = fmaf(odd, square, -0.0538739488477f);
  odd = fmaf(odd, square, 0.13332915367f);
  odd = fmaf(odd, square, -0.333333303327f);
  const float near = fmaf(odd * square, x, x);
  return size < 0.6f ? near : far;
}

/// What a mask does to some pairs: whether it allows one, and whether it forbids one.
struct MaskEffect {
  bool allows, forbids;
};

/// An axis of a table: its entries, and the elements between two of them.
struct Axis {
  index entries, stride;
};

/// Elements from the start of a table to the entry nearest to `i`. Compared in 32 bits: half the instructions of 64, and half the
/// registers of what is the same for many pairs.
TERCET_DEVICE index clamped(Int i, Axis axis) {
  const Int last = Int(smaller(axis.entries - 1, 0x7fffffff));
  return static_cast<index>(static_cast<u32>(smaller(larger(i, Int(0)), last))) * axis.stride;
}

/// An element of a table, which nothing writes while the kernel runs. An index outside of an axis reads its nearest end.
TERCET_DEVICE float element(const float *table, index at) { return __ldg(table + at); }
TERCET_DEVICE Int element(const i32 *table, index at) { return Int(__ldg(table + at)); }

} // namespace tercet::dev
