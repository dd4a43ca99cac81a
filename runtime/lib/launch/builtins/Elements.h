// Elements: loads of f32, f16 and bf16 as f32, in forms that compilers vectorise at every CPU level. Exact also under
// flush-to-zero: half denormals go through integer conversion, never through float denormals.
#pragma once

#include "tercet/Tensor.h"

#include <bit>
#include <cstdint>

namespace tercet::rt {

struct F32Element {
  using Type = float;
  [[gnu::always_inline]] static inline float toFloat(float value) { return value; }
};

struct Bf16Element {
  using Type = uint16_t;
  [[gnu::always_inline]] static inline float toFloat(uint16_t bits) {
    return std::bit_cast<float>(uint32_t(bits) << 16);
  }
};

struct F16Element {
  using Type = uint16_t;
  [[gnu::always_inline]] static inline float toFloat(uint16_t bits) {
    uint32_t sign = uint32_t(bits & 0x8000) << 16, magnitude = bits & 0x7fff;
    uint32_t normal = (magnitude << 13) + (112u << 23);
    uint32_t special = (magnitude << 13) | 0x7f800000u; // infinity and NaN
    uint32_t denormal = std::bit_cast<uint32_t>(static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f);
    uint32_t value = magnitude >= 0x7c00 ? special : magnitude < 0x400 ? denormal : normal;
    return std::bit_cast<float>(value | sign);
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
