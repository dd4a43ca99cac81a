// The box that a tensor copy moves: its rows in global memory, and the 16-byte chunks of shared memory they go to.
#pragma once

#include "tercet/sim/TensorMap.h"

#include <array>
#include <cstdint>

namespace tercet::sim {

/// The address of a 16-byte chunk of shared memory whose address, without swizzle, is `address`: bits 4 and up are exchanged
/// by the bits of the 128-byte line it lies in.
inline uint64_t swizzled(uint64_t address, TensorMap::Swizzle swizzle) {
  uint64_t mask = (uint64_t{1} << uint32_t(swizzle)) - 1; // 0, 1, 3, 7
  return address ^ ((address >> 7 & mask) << 4);
}

/// One row of a box along axis 0: bytes [begin, end) of it lie inside of the tensor, at `address` and on; the rest outside.
struct BoxRow {
  uint64_t address = 0;
  uint32_t begin = 0, end = 0; ///< equal when all of it lies outside
  uint64_t offset = 0;         ///< of the row in the box as it lies in shared memory, before swizzling
};

/// f(BoxRow) for every row of the box whose first element has these coordinates.
template <typename F> void forRows(const TensorMap &map, const std::array<int32_t, 5> &corner, F &&f) {
  uint32_t rows = 1, elementBytes = map.elementBytes();
  for (uint32_t axis = 1; axis < map.rank; ++axis)
    rows *= map.extent(axis);
  int64_t first = corner[0], last = first + map.box[0], size = int64_t(map.sizes[0]);
  int64_t from = std::max<int64_t>(first, 0), to = std::min(last, size);
  for (uint32_t number = 0; number < rows; ++number) {
    BoxRow row;
    row.offset = uint64_t{number} * map.box[0] * elementBytes;
    bool inside = from < to;
    int64_t address = int64_t(map.base) + from * elementBytes;
    for (uint32_t axis = 1, rest = number; axis < map.rank; rest /= map.extent(axis), ++axis) {
      int64_t at = int64_t{corner[axis]} + int64_t{rest % map.extent(axis)} * map.elementStrides[axis];
      inside &= at >= 0 && at < int64_t(map.sizes[axis]);
      address += at * int64_t(map.strideBytes[axis - 1]);
    }
    if (inside) {
      row.address = uint64_t(address);
      row.begin = uint32_t(from - first) * elementBytes;
      row.end = uint32_t(to - first) * elementBytes;
    }
    f(row);
  }
}

} // namespace tercet::sim
