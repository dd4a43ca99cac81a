// TensorMap: what a 128-byte tensor map says, and the simulator's own encoding of it. A GPU's encoding is the driver's secret;
// kernels only pass maps on, so any encoding will do that encode and the simulated copies agree on.
#pragma once

#include "tercet/Status.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tercet::sim {

/// Names and numbers as in the driver's CUtensorMap enumerations.
struct TensorMap {
  enum class Element : uint8_t { u8 = 0, u16, u32, s32, u64, s64, f16, f32, f64, bf16, f32Flushed, tf32, tf32Flushed };
  enum class Swizzle : uint8_t { none = 0, bytes32, bytes64, bytes128 };
  static constexpr size_t encodedBytes = 128;
  using Encoded = std::array<std::byte, encodedBytes>;

  uint64_t base = 0; ///< address of the simulated device
  Element element = Element::bf16;
  uint32_t rank = 1;
  std::array<uint64_t, 5> sizes{};                       ///< elements, innermost axis first
  std::array<uint64_t, 4> strideBytes{};                 ///< of axes 1 and up
  std::array<uint32_t, 5> box{};                         ///< elements of the tensor that a copy spans
  std::array<uint32_t, 5> elementStrides{1, 1, 1, 1, 1}; ///< a copy takes every n-th of them; ignored for axis 0
  Swizzle swizzle = Swizzle::none;
  bool fillWithNan = false; ///< what lies outside of the tensor; else zeros

  uint32_t elementBytes() const;
  /// Elements that a copy brings along an axis: ceil(box / elementStride).
  uint32_t extent(uint32_t axis) const {
    return axis == 0 ? box[0] : (box[axis] + elementStrides[axis] - 1) / elementStrides[axis];
  }
  /// Bytes that a copy brings, which is what it adds to the transaction count of its mbarrier.
  uint64_t boxBytes() const;

  /// invalidArgument where cuTensorMapEncodeTiled would refuse: alignment, strides, box sizes, swizzle.
  Result<Encoded> encode() const;
  /// invalidArgument when these are not 128 bytes that encode() made.
  static Result<TensorMap> decode(std::span<const std::byte> bytes);
};

} // namespace tercet::sim
