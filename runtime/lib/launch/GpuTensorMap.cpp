// Limits are those of cuTensorMapEncodeTiled (CUDA Driver API), checked here so that the message names the tensor.
#include "GpuTensorMap.h"

#include <algorithm>

namespace tercet::rt {
namespace {

constexpr int64_t alignment = 16;                                 // of base and strides, in bytes
constexpr int64_t largestExtent = int64_t{1} << 32;               // elements of an axis
constexpr int64_t largestStride = (int64_t{1} << 40) - alignment; // bytes

} // namespace

Result<TensorMapDescription> describeTensorMap(const ProgramTensorMap &map, const std::string &name, const void *base,
                                               const Frame &frame) {
  TensorMapDescription description;
  description.base = base;
  description.dtype = map.dtype;
  description.rank = static_cast<int>(map.sizes.size());
  description.swizzle = map.swizzle;
  if (reinterpret_cast<uintptr_t>(base) % alignment != 0)
    return Status::make(Code::invalidArgument, "'{}' has the address {}; on a GPU it must be a multiple of {} bytes",
                        name, base, alignment);
  int64_t element = static_cast<int64_t>(dtypeSize(map.dtype));
  int64_t dense = element; // the stride of this axis if everything were contiguous
  for (size_t axis = 0; axis < map.sizes.size(); ++axis) {
    TERCET_TRY(int64_t size, map.sizes[axis].evaluate(frame.symbols));
    if (size < 1 || size > largestExtent)
      return Status::make(Code::invalidArgument, "'{}' has {} elements along an axis; GPU copies address 1 to {}", name,
                          size, largestExtent);
    description.sizes[axis] = static_cast<uint64_t>(size);
    description.box[axis] = static_cast<uint32_t>(map.box[axis]);
    if (axis > 0) {
      TERCET_TRY(int64_t stride, map.strides[axis - 1].evaluate(frame.symbols));
      int64_t bytes = 0;
      if (size == 1)
        bytes = std::min(dense, largestStride); // never used to address; any legal value does
      else if (__builtin_mul_overflow(stride, element, &bytes) || bytes % alignment != 0 || bytes < 1 ||
               bytes > largestStride)
        return Status::make(
            Code::invalidArgument,
            "'{}' has a stride of {} elements; on a GPU strides must be positive multiples of {} bytes, "
            "at most {}",
            name, stride, alignment, largestStride);
      description.strideBytes[axis - 1] = static_cast<uint64_t>(bytes);
      dense = bytes;
    }
    if (__builtin_mul_overflow(dense, size, &dense) || dense > largestStride)
      dense = largestStride;
    dense = (dense + alignment - 1) / alignment * alignment;
  }
  return description;
}

} // namespace tercet::rt
