// SimulatedTensorMap: tensor maps as the simulator's kernels read them.
#pragma once

#include "tercet/rt/GpuDevice.h"

namespace tercet::rt {

/// The simulator's own 128 bytes. invalidArgument on what a driver would refuse, and on element types without tensor maps.
Result<TensorMapBytes> encodeSimulatedTensorMap(const TensorMapDescription &description);

} // namespace tercet::rt
