// Rows of strided tensors, in row-major order.
#pragma once

#include "tercet/Tensor.h"

#include <array>
#include <cstdint>
#include <vector>

namespace tercet {

/// Calls row(address of the row's first element, stride, length) for every row of the last axis, in row-major order.
template <typename Row> void forEachRow(const Tensor &tensor, Row row) {
  std::array<int64_t, 4> shape{1, 1, 1, 1}, strides{0, 0, 0, 0};
  for (int axis = 0; axis < tensor.rank; ++axis) {
    shape[axis + 4 - tensor.rank] = tensor.shape[axis];
    strides[axis + 4 - tensor.rank] = tensor.strides[axis];
  }
  const char *base = static_cast<const char *>(tensor.data);
  int64_t size = static_cast<int64_t>(dtypeSize(tensor.dtype));
  for (int64_t a = 0; a < shape[0]; ++a)
    for (int64_t b = 0; b < shape[1]; ++b)
      for (int64_t c = 0; c < shape[2]; ++c)
        row(base + (a * strides[0] + b * strides[1] + c * strides[2]) * size, strides[3], shape[3]);
}

/// Appends a tensor's elements in row-major order.
void appendElements(const Tensor &tensor, std::vector<uint8_t> &bytes);

} // namespace tercet
