// Types of the device library: Tercet's own, so that kernels compile under NVRTC without any CUDA header.
#pragma once

#define TERCET_DEVICE __device__ __forceinline__

namespace tercet::dev {

using i8 = signed char;
using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;
using i32 = int;
using i64 = long long;
/// tkern's index: sizes, strides and positions in elements.
using index = long long;

TERCET_DEVICE constexpr index smaller(index a, index b) { return a < b ? a : b; }
TERCET_DEVICE constexpr index larger(index a, index b) { return a > b ? a : b; }
TERCET_DEVICE constexpr index ceil_div(index a, index b) { return (a + b - 1) / b; }

/// Of numbers below 2^32: a 64-bit division is a call, around which ptxas saves registers on a stack.
TERCET_DEVICE constexpr index quotient(index a, index b) { return static_cast<u32>(a) / static_cast<u32>(b); }
TERCET_DEVICE constexpr index remainder(index a, index b) { return static_cast<u32>(a) % static_cast<u32>(b); }
/// The same of numbers from -2^31 to 2^31, rounded to 0, down and up.
TERCET_DEVICE constexpr index signed_quotient(index a, index b) {
  const index size = quotient(a < 0 ? -a : a, b < 0 ? -b : b);
  return (a < 0) != (b < 0) ? -size : size;
}
TERCET_DEVICE constexpr index floor_div(index a, index b) {
  const index whole = signed_quotient(a, b);
  return whole * b != a && (a < 0) != (b < 0) ? whole - 1 : whole;
}
TERCET_DEVICE constexpr index signed_ceil_div(index a, index b) { return -floor_div(-a, b); }

/// 16-bit floats as they lie in memory; arithmetic is in f32, after unpacking.
struct bf16 {
  u16 bits;
};
struct f16 {
  u16 bits;
};

/// The driver's descriptor of a tensor for box copies (CUtensorMap): opaque, encoded on the host.
struct alignas(64) TensorMap {
  u64 words[16];
};

} // namespace tercet::dev
