// SimulatedImage: a parsed PTX module as an image of the device interface.
#pragma once

#include "tercet/rt/GpuDevice.h"
#include "tercet/sim/Module.h"

namespace tercet::rt {

class SimulatedFunction final : public GpuFunction {
public:
  SimulatedFunction(sim::Module module, const sim::KernelInfo &info, GpuKernelAttributes attributes)
      : module(std::move(module)), info(info), known(attributes) {}
  const GpuKernelAttributes &attributes() const override { return known; }

  /// The parameters where the kernel expects them; invalidArgument when their number or a size differs.
  Result<std::vector<std::byte>> pack(std::span<const GpuParameter> parameters) const;

  const sim::Module module;
  const sim::KernelInfo &info; ///< lives in the module

private:
  GpuKernelAttributes known;
};

class SimulatedImage final : public GpuImage {
public:
  SimulatedImage(sim::Module module, int64_t sharedBytes) : module(std::move(module)), sharedBytes(sharedBytes) {}
  Result<std::shared_ptr<const GpuFunction>> find(const std::string &name, int64_t dynamicSharedBytes) override;

private:
  sim::Module module;
  int64_t sharedBytes; ///< the most a block may have
};

} // namespace tercet::rt
