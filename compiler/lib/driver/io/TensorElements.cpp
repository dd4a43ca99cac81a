// Elements of strided tensors: sizes, views of files, row-major copies and dtype conversion.
#include "FileFormats.h"

#include <fmt/ranges.h>

#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace tercet::compiler {

std::optional<int64_t> byteCount(const std::vector<int64_t> &shape, size_t elementSize) {
  constexpr int64_t most = int64_t(1) << 62;
  int64_t product = static_cast<int64_t>(elementSize);
  bool isEmpty = false;
  for (int64_t size : shape) {
    if (size < 0)
      return std::nullopt;
    if (size == 0)
      isEmpty = true;
    else if (product > most / size)
      return std::nullopt;
    else
      product *= size;
  }
  return isEmpty ? 0 : product;
}

std::string shapeText(const std::vector<int64_t> &shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

Status checkUsable(const std::vector<int64_t> &shape) {
  if (shape.size() > 4)
    return Status::make(Code::invalidArgument, "shape {} has rank {}; legal are ranks up to 4", shapeText(shape),
                        shape.size());
  for (int64_t size : shape)
    if (size < 1)
      return Status::make(Code::invalidArgument, "shape {} has the size {}; every size must be at least 1",
                          shapeText(shape), size);
  return {};
}

/// A view of `data` whose last axis is the innermost, or the first where `fortranOrder`.
static Tensor denseView(void *data, DType dtype, const std::vector<int64_t> &shape, bool fortranOrder = false) {
  Tensor view;
  view.data = data;
  view.dtype = dtype;
  view.rank = static_cast<int>(shape.size());
  int64_t stride = 1;
  for (size_t inner = 0; inner < shape.size(); ++inner) {
    size_t axis = fortranOrder ? inner : shape.size() - 1 - inner;
    view.shape[axis] = shape[axis];
    view.strides[axis] = stride;
    stride *= shape[axis];
  }
  return view;
}

Result<StoredTensor> StoredTensor::allocate(DType dtype, const std::vector<int64_t> &shape) {
  TERCET_RETURN_IF_ERROR(checkUsable(shape));
  std::optional<int64_t> bytes = byteCount(shape, dtypeSize(dtype));
  constexpr int64_t alignment = 64;
  // The system hands out more addresses than there is memory and ends the process that fills them.
  double most = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  void *memory = nullptr;
  if (bytes && static_cast<double>(*bytes) <= most)
    memory = std::aligned_alloc(alignment, static_cast<size_t>((*bytes + alignment - 1) / alignment * alignment));
  if (!memory)
    return Status::make(Code::invalidArgument, "a tensor {} of {} does not fit into memory", shapeText(shape),
                        dtypeName(dtype));
  std::memset(memory, 0, static_cast<size_t>(*bytes));
  return StoredTensor{denseView(memory, dtype, shape), std::shared_ptr<void>(memory, std::free), {}};
}

Result<StoredTensor> tensorAt(uint8_t *file, std::shared_ptr<void> owner, const TensorLocation &location) {
  uint8_t *data = file + location.offset;
  bool isAligned = reinterpret_cast<uintptr_t>(data) % dtypeSize(location.dtype) == 0;
  if (isAligned && !location.fortranOrder)
    return StoredTensor{denseView(data, location.dtype, location.shape), std::move(owner), {}};
  TERCET_TRY(StoredTensor stored, StoredTensor::allocate(location.dtype, location.shape));
  std::vector<uint8_t> bytes;
  appendElements(denseView(data, location.dtype, location.shape, location.fortranOrder), bytes);
  std::memcpy(stored.view.data, bytes.data(), bytes.size());
  return stored;
}

Result<StoredTensor> convertTensor(const Tensor &source, DType dtype) {
  std::vector<int64_t> shape(source.shape.begin(), source.shape.begin() + source.rank);
  TERCET_TRY(StoredTensor result, StoredTensor::allocate(dtype, shape));
  Tensor from = source, to = result.view;
  to.rank = from.rank = 1; // one row at a time, through Tensor's own conversions
  to.strides = {1, 0, 0, 0};
  size_t toSize = dtypeSize(dtype);
  forEachRow(source, [&](const char *row, int64_t stride, int64_t length) {
    from.data = const_cast<char *>(row);
    from.strides = {stride, 0, 0, 0};
    for (int64_t i = 0; i < length; ++i)
      to.set(from.get(i), i);
    to.data = static_cast<char *>(to.data) + static_cast<size_t>(length) * toSize;
  });
  return result;
}

} // namespace tercet::compiler
