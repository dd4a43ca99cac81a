// Elements: loads of f32, f16 and bf16 as f32, one at a time or eight as a GCC vector, which every CPU level lowers to
// its own registers. Exact also under flush-to-zero: half denormals go through integer conversion, never through float
// denormals.
#pragma once

#include "tercet/Tensor.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace tercet::rt {

typedef float Float8 __attribute__((vector_size(32)));
typedef int32_t Int8 __attribute__((vector_size(32)));
typedef uint16_t Short8 __attribute__((vector_size(16)));

template <typename Vector, typename Element> [[gnu::always_inline]] inline Vector loadVector(const Element *address) {
  Vector vector;
  std::memcpy(&vector, address, sizeof(vector));
  return vector;
}
[[gnu::always_inline]] inline void storeVector(float *address, const Float8 &vector) {
  std::memcpy(address, &vector, sizeof(vector));
}

/// Of eight lanes, from the first on.
template <typename Total, typename Vector> [[gnu::always_inline]] inline Total sumOfLanes(const Vector &values) {
  Total total = 0;
  for (int lane = 0; lane < 8; ++lane)
    total += values[lane];
  return total;
}

struct F32Element {
  using Type = float;
  [[gnu::always_inline]] static inline float toFloat(float value) { return value; }
  [[gnu::always_inline]] static inline Float8 load8(const float *from) { return loadVector<Float8>(from); }
};

struct Bf16Element {
  using Type = uint16_t;
  [[gnu::always_inline]] static inline float toFloat(uint16_t bits) { return bfloat16ToFloat(bits); }
  [[gnu::always_inline]] static inline Float8 load8(const uint16_t *from) {
    return (Float8)(__builtin_convertvector(loadVector<Short8>(from), Int8) << 16);
  }
};

struct F16Element {
  using Type = uint16_t;
  static float toFloat(uint16_t bits) { return halfToFloat(bits); }
  [[gnu::always_inline]] static inline Float8 load8(const uint16_t *from) {
    Int8 bits = __builtin_convertvector(loadVector<Short8>(from), Int8), magnitude = bits & 0x7fff;
    Int8 normal = (magnitude << 13) + (112 << 23);
    Int8 special = (magnitude << 13) | 0x7f800000; // infinity and NaN
    Int8 denormal = (Int8)(__builtin_convertvector(magnitude, Float8) * 0x1p-24f);
    Int8 value = magnitude >= 0x7c00 ? special : magnitude < 0x400 ? denormal : normal;
    return (Float8)(value | (bits & 0x8000) << 16);
  }
};

/// Calls body(Element{}) with the element type of a dtype; only f32, f16 and bf16 reach builtins.
template <typename Body> [[gnu::always_inline]] inline void withElement(DType dtype, Body body) {
  if (dtype == DType::f32)
    body(F32Element{});
  else if (dtype == DType::f16)
    body(F16Element{});
  else
    body(Bf16Element{});
}

} // namespace tercet::rt
