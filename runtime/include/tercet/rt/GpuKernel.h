// GpuKernel: an artifact bound to a GPU.
#pragma once

#include "tercet/Session.h"
#include "tercet/rt/GpuDevice.h"

namespace tercet::rt {

/// Picks the best of the artifact's GPU modules that the device runs, loads its images and makes a kernel. A module for
/// the device's own architecture comes first, then native code for an earlier one of the same major version, then PTX
/// for an earlier one, which the driver compiles; Kernel::module tells which it is. unsupportedTarget when there is none,
/// launchFailed when the device refuses the code.
Result<std::shared_ptr<Kernel>> loadGpuKernel(std::shared_ptr<const Artifact> artifact,
                                              std::shared_ptr<GpuDevice> device);

/// Index of the module that loadGpuKernel takes on a device with these properties, or -1.
int chooseGpuModule(const Artifact &artifact, const GpuProperties &device);

} // namespace tercet::rt
