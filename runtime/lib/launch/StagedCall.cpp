#include "tercet/rt/StagedCall.h"

namespace tercet::rt {
namespace {

/// Bytes from the lowest to the highest element, and where the first element lies in them.
struct Extent {
  int64_t bytes = 0, first = 0;
};

Extent extentOf(const Tensor &tensor) {
  int64_t low = 0, high = 0;
  for (int axis = 0; axis < tensor.rank; ++axis) {
    int64_t reach = (tensor.shape[axis] - 1) * tensor.strides[axis];
    (reach < 0 ? low : high) += reach;
  }
  int64_t element = static_cast<int64_t>(dtypeSize(tensor.dtype));
  return {(high - low + 1) * element, -low * element};
}

} // namespace

Result<StagedCall> StagedCall::upload(std::shared_ptr<GpuDevice> device, const Arguments &host) {
  StagedCall call;
  call.device = std::move(device);
  call.onDevice = host;
  for (auto &[name, tensor] : call.onDevice.tensors) {
    Range &range = call.ranges.emplace_back();
    if (!tensor.data)
      continue;
    for (int axis = 0; axis < tensor.rank; ++axis)
      if (tensor.shape[axis] < 1)
        return Status::make(Code::invalidArgument, "'{}' is {}; every extent must be at least 1", name,
                            tensor.describe());
    Extent extent = extentOf(tensor);
    range.host = static_cast<char *>(tensor.data) - extent.first;
    TERCET_TRY(range.memory, GpuMemory::allocate(call.device, static_cast<size_t>(extent.bytes)));
    tensor.data = static_cast<char *>(range.memory.data()) + extent.first;
  }
  TERCET_RETURN_IF_ERROR(call.refresh());
  return call;
}

Status StagedCall::refresh() {
  for (const Range &range : ranges)
    if (range.host)
      TERCET_RETURN_IF_ERROR(device->copyToDevice(range.memory.data(), range.host, range.memory.size(), nullptr));
  return device->synchronize(nullptr);
}

Status StagedCall::download(const std::vector<std::string> &names) {
  for (size_t index = 0; index < ranges.size(); ++index)
    for (const std::string &name : names)
      if (onDevice.tensors[index].first == name && ranges[index].host)
        TERCET_RETURN_IF_ERROR(
            device->copyToHost(ranges[index].host, ranges[index].memory.data(), ranges[index].memory.size(), nullptr));
  return device->synchronize(nullptr);
}

} // namespace tercet::rt
