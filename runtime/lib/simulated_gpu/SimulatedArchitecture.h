// SimulatedArchitecture: what a GPU of an architecture offers its kernels.
#pragma once

#include "tercet/rt/GpuDevice.h"

namespace tercet::rt {

/// Properties of the device "sim:sm_90a". unsupportedTarget on names that are no architecture of sm_80 or later.
Result<GpuProperties> simulatedProperties(const std::string &target);

} // namespace tercet::rt
