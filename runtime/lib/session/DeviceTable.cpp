#include "DeviceTable.h"

#include "tercet/rt/CudaDriver.h"

#include <charconv>

namespace tercet::rt {
namespace {

Result<std::shared_ptr<GpuDevice>> openCuda(const std::string &target) {
  int index = 0;
  if (target != "cuda") {
    std::string_view digits = std::string_view(target).substr(5);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc() || end != digits.data() + digits.size())
      return Status::make(Code::unsupportedTarget, "'{}' is no CUDA device; legal are cuda and cuda:N", target);
  }
  return openCudaDevice(index);
}

} // namespace

bool DeviceTable::isCuda(const std::string &target) { return target == "cuda" || target.starts_with("cuda:"); }

bool DeviceTable::isDevice(const std::string &target) {
  return isCuda(target) || target.find(":sm_") != std::string::npos;
}

Result<std::shared_ptr<GpuDevice>> DeviceTable::open(const std::string &target) {
  if (!isDevice(target))
    return Status::make(Code::invalidArgument,
                        "'{}' is no device with memory of its own; legal are cuda[:N] and "
                        "devices that the session was given",
                        target);
  std::lock_guard lock(mutex);
  if (auto known = devices.find(target); known != devices.end())
    return known->second;
  if (!isCuda(target) && !hook)
    return Status::make(Code::unsupportedTarget, "this session cannot open '{}': it was given no such devices", target);
  TERCET_TRY(std::shared_ptr<GpuDevice> device, isCuda(target) ? openCuda(target) : hook(target));
  devices[target] = device;
  return device;
}

} // namespace tercet::rt
