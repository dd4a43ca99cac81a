#include "SimulatedImage.h"

#include <cstring>

namespace tercet::rt {

Result<std::vector<std::byte>> SimulatedFunction::pack(std::span<const GpuParameter> parameters) const {
  if (parameters.size() != info.parameters.size())
    return Status::make(Code::invalidArgument, "kernel {} takes {} parameters, not {}", info.name,
                        info.parameters.size(), parameters.size());
  std::vector<std::byte> bytes(info.parameterBytes);
  for (size_t index = 0; index < parameters.size(); ++index) {
    const sim::ParameterInfo &expected = info.parameters[index];
    if (parameters[index].bytes != expected.bytes)
      return Status::make(Code::invalidArgument, "parameter {} of kernel {} ({}) has {} bytes, not {}", index,
                          info.name, expected.name, expected.bytes, parameters[index].bytes);
    std::memcpy(bytes.data() + expected.offset, parameters[index].data, expected.bytes);
  }
  return bytes;
}

Result<std::shared_ptr<const GpuFunction>> SimulatedImage::find(const std::string &name, int64_t dynamicSharedBytes) {
  const sim::KernelInfo *info = module.kernel(name);
  if (!info)
    return Status::make(Code::launchFailed, "the PTX has no kernel {}", name);
  GpuKernelAttributes attributes;
  attributes.staticSharedBytes = info->staticSharedBytes;
  attributes.mostThreads = info->maxThreads[0] > 0 ? info->maxThreads[0] : 1024;
  if (attributes.staticSharedBytes + dynamicSharedBytes > sharedBytes)
    return Status::make(Code::launchFailed, "kernel {} asks for {} bytes of shared memory; a block has at most {}",
                        name, attributes.staticSharedBytes + dynamicSharedBytes, sharedBytes);
  return std::shared_ptr<const GpuFunction>(std::make_shared<SimulatedFunction>(module, *info, attributes));
}

} // namespace tercet::rt
