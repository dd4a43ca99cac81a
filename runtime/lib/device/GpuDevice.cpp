#include "tercet/rt/GpuDevice.h"

namespace tercet::rt {

Result<GpuMemory> GpuMemory::allocate(std::shared_ptr<GpuDevice> device, size_t bytes) {
  GpuMemory result;
  TERCET_TRY(result.memory, device->allocate(bytes));
  result.device = std::move(device);
  result.bytes = bytes;
  return result;
}

GpuMemory::~GpuMemory() {
  if (memory)
    device->release(memory);
}

std::string architectureOf(int major, int minor) {
  return fmt::format("sm_{}{}{}", major, minor, major == 9 && minor == 0 ? "a" : "");
}

} // namespace tercet::rt
