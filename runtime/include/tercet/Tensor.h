// Tensor: a borrowed, strided view of up to four dimensions. Tercet never owns or copies a caller's tensor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace tercet {

enum class DType : uint8_t { f32, f16, bf16, f64, i32, i8 };

/// Size of one element in bytes.
size_t dtypeSize(DType dtype);
/// "f32", "bf16", ...
std::string_view dtypeName(DType dtype);
/// The dtype with this name; false when there is none.
bool parseDType(std::string_view name, DType &dtype);

/// IEEE half and bfloat16 conversions, round to nearest even.
float halfToFloat(uint16_t bits);
uint16_t floatToHalf(float value);
float bfloat16ToFloat(uint16_t bits);
uint16_t floatToBfloat16(float value);

/// data: base address, null for an absent tensor. shape and strides: in elements, the first `rank` entries are used,
/// the others are 1 and 0. q, k, v, o: [batch, heads, tokens, head dimension], last stride 1, any other strides.
struct Tensor {
  void *data = nullptr;
  DType dtype = DType::f32;
  int rank = 0;
  std::array<int64_t, 4> shape{1, 1, 1, 1};
  std::array<int64_t, 4> strides{0, 0, 0, 0};

  explicit operator bool() const { return data != nullptr; }
  int64_t elements() const;
  /// A dense row-major view of `data`.
  static Tensor contiguous(void *data, DType dtype, std::span<const int64_t> shape);
  static Tensor contiguous(void *data, DType dtype, std::initializer_list<int64_t> shape) {
    return contiguous(data, dtype, std::span(shape.begin(), shape.size()));
  }
  /// "[2, 4, 300, 64] f32"
  std::string describe() const;
  /// Reads or writes one element (any dtype) through double; slow, for tests and the oracle.
  double get(int64_t i0, int64_t i1 = 0, int64_t i2 = 0, int64_t i3 = 0) const;
  void set(double value, int64_t i0, int64_t i1 = 0, int64_t i2 = 0, int64_t i3 = 0) const;
};

} // namespace tercet
