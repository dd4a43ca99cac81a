// DeviceTable: the GPUs of a session by target name.
#pragma once

#include "tercet/Session.h"
#include "tercet/rt/GpuDevice.h"

#include <mutex>

namespace tercet::rt {

class DeviceTable {
public:
  explicit DeviceTable(decltype(SessionOptions::openDevice) hook) : hook(std::move(hook)) {}

  /// "cuda" or "cuda:N".
  static bool isCuda(const std::string &target);
  /// Whether the target names a device other than the CPU: isCuda, or a prefix with an architecture, "sim:sm_80".
  static bool isDevice(const std::string &target);
  /// The device, opened once. Errors as Session::device. Thread-safe.
  Result<std::shared_ptr<GpuDevice>> open(const std::string &target);

private:
  decltype(SessionOptions::openDevice) hook;
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<GpuDevice>> devices;
};

} // namespace tercet::rt
