// table_ranges: the least and largest element of every block of a table along one axis. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "Dispatch.h"

#include "tercet/Builtins.h"
#include "tercet/Tensor.h"

#include <algorithm>
#include <limits>

namespace tercet::rt {
namespace {

constexpr int64_t blocksPerItem = 64;

/// The ends of `count` elements; contiguous ones in vectors.
template <typename T>
[[gnu::always_inline]] inline void findEnds(const T *from, int64_t stride, int64_t count, T *ends) {
  T least = from[0], most = from[0];
  if (stride == 1)
    for (int64_t i = 0; i < count; ++i) {
      least = from[i] < least ? from[i] : least;
      most = from[i] > most ? from[i] : most;
    }
  else
    for (int64_t i = 0; i < count; ++i) {
      least = from[i * stride] < least ? from[i * stride] : least;
      most = from[i * stride] > most ? from[i * stride] : most;
    }
  ends[0] = least;
  ends[1] = most;
}

struct IntegerEnds {
  [[gnu::always_inline]] static inline void run(const int32_t *from, int64_t stride, int64_t count, int32_t *ends) {
    findEnds(from, stride, count, ends);
  }
};

/// A NaN among the elements makes both ends NaN.
struct FloatEnds {
  [[gnu::always_inline]] static inline void run(const float *from, int64_t stride, int64_t count, float *ends) {
    findEnds(from, stride, count, ends);
    int32_t unordered = 0;
    for (int64_t i = 0; i < count; ++i)
      unordered += from[i * stride] != from[i * stride];
    if (unordered)
      ends[0] = ends[1] = std::numeric_limits<float>::quiet_NaN();
  }
};

template <typename Ends, typename T> void fillBlocks(const TableRangesSlots &s, int64_t row, int64_t firstBlock) {
  int64_t offset = 0, rest = row;
  for (int axis = 2; axis >= 0; --axis) {
    offset += rest % s.sizes[axis] * s.strides[axis];
    rest /= s.sizes[axis];
  }
  int64_t blocks = (s.length + rangeBlock - 1) / rangeBlock, end = std::min(firstBlock + blocksPerItem, blocks);
  for (int64_t block = firstBlock; block < end; ++block) {
    int64_t first = block * rangeBlock, count = std::min(rangeBlock, s.length - first);
    Dispatch<Ends, const T *, int64_t, int64_t, T *>::call(static_cast<const T *>(s.table) + offset + first * s.stride,
                                                           s.stride, count,
                                                           static_cast<T *>(s.ranges) + 2 * (row * blocks + block));
  }
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const TableRangesSlots *>(call.slots);
  if (static_cast<DType>(s.dtype) == DType::f32)
    fillBlocks<FloatEnds, float>(s, call.item1, call.item0 * blocksPerItem);
  else
    fillBlocks<IntegerEnds, int32_t>(s, call.item1, call.item0 * blocksPerItem);
}

} // namespace

const Builtin tableRangesBuiltin = {"table_ranges", sizeof(TableRangesSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
