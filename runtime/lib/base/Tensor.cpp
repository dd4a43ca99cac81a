// Tensor: names and sizes of dtypes, and slow element access for tests and the oracle.
#include "tercet/Tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace tercet {
namespace {

struct DTypeInfo {
  DType dtype;
  std::string_view name;
  size_t size;
};
constexpr DTypeInfo dtypes[] = {{DType::f32, "f32", 4}, {DType::f16, "f16", 2}, {DType::bf16, "bf16", 2},
                                {DType::f64, "f64", 8}, {DType::i32, "i32", 4}, {DType::i8, "i8", 1}};

const DTypeInfo *find(DType dtype) {
  for (const DTypeInfo &info : dtypes)
    if (info.dtype == dtype)
      return &info;
  return nullptr;
}

/// The float next to `value` towards zero with an odd last bit where `value` is not a float: rounding it once more to a
/// narrower type then gives what rounding the double directly would.
float roundToOdd(double value) {
  float nearest = static_cast<float>(value);
  if (std::isnan(value) || std::isinf(nearest) || static_cast<double>(nearest) == value)
    return nearest;
  float truncated =
      std::fabs(static_cast<double>(nearest)) > std::fabs(value) ? std::nextafter(nearest, 0.0f) : nearest;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(truncated) | 1u);
}

template <typename T> T load(const char *address) {
  T value;
  std::memcpy(&value, address, sizeof(T));
  return value;
}

template <typename T> void store(char *address, T value) { std::memcpy(address, &value, sizeof(T)); }

template <typename T> T saturate(double value) {
  if (std::isnan(value))
    return 0;
  double low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
  return static_cast<T>(std::nearbyint(std::fmin(std::fmax(value, low), high)));
}

} // namespace

size_t dtypeSize(DType dtype) {
  const DTypeInfo *info = find(dtype);
  return info ? info->size : 0;
}

std::string_view dtypeName(DType dtype) {
  const DTypeInfo *info = find(dtype);
  return info ? info->name : "unknown";
}

bool parseDType(std::string_view name, DType &dtype) {
  for (const DTypeInfo &info : dtypes)
    if (info.name == name) {
      dtype = info.dtype;
      return true;
    }
  return false;
}

int64_t Tensor::elements() const {
  int64_t count = 1;
  for (int axis = 0; axis < rank; ++axis)
    count *= shape[axis];
  return count;
}

Tensor Tensor::contiguous(void *data, DType dtype, std::span<const int64_t> shape) {
  Tensor tensor;
  tensor.data = data;
  tensor.dtype = dtype;
  tensor.rank = static_cast<int>(shape.size() < 4 ? shape.size() : 4);
  int axis = 0;
  for (int64_t size : shape)
    if (axis < 4)
      tensor.shape[axis++] = size;
  int64_t stride = 1;
  for (axis = tensor.rank - 1; axis >= 0; --axis) {
    tensor.strides[axis] = stride;
    stride *= tensor.shape[axis];
  }
  return tensor;
}

std::string Tensor::describe() const {
  int shown = rank < 0 ? 0 : rank > 4 ? 4 : rank;
  return fmt::format("[{}] {}", fmt::join(shape.begin(), shape.begin() + shown, ", "), dtypeName(dtype));
}

double Tensor::get(int64_t i0, int64_t i1, int64_t i2, int64_t i3) const {
  int64_t index = i0 * strides[0] + i1 * strides[1] + i2 * strides[2] + i3 * strides[3];
  const char *address = static_cast<const char *>(data) + index * static_cast<int64_t>(dtypeSize(dtype));
  switch (dtype) {
  case DType::f32:
    return load<float>(address);
  case DType::f16:
    return halfToFloat(load<uint16_t>(address));
  case DType::bf16:
    return bfloat16ToFloat(load<uint16_t>(address));
  case DType::f64:
    return load<double>(address);
  case DType::i32:
    return load<int32_t>(address);
  case DType::i8:
    return load<int8_t>(address);
  }
  return 0;
}

void Tensor::set(double value, int64_t i0, int64_t i1, int64_t i2, int64_t i3) const {
  int64_t index = i0 * strides[0] + i1 * strides[1] + i2 * strides[2] + i3 * strides[3];
  char *address = static_cast<char *>(data) + index * static_cast<int64_t>(dtypeSize(dtype));
  switch (dtype) {
  case DType::f32:
    return store(address, static_cast<float>(value));
  case DType::f16:
    return store(address, floatToHalf(roundToOdd(value)));
  case DType::bf16:
    return store(address, floatToBfloat16(roundToOdd(value)));
  case DType::f64:
    return store(address, value);
  case DType::i32:
    return store(address, saturate<int32_t>(value));
  case DType::i8:
    return store(address, saturate<int8_t>(value));
  }
}

} // namespace tercet
