// GpuTensorMap: a plan's tensor map with the sizes and addresses of one launch.
#pragma once

#include "Frame.h"

#include "tercet/rt/GpuDevice.h"

namespace tercet::rt {

/// base: the address of the map's first element. invalidArgument, naming `name`, where base or a stride is no multiple
/// of 16 bytes, or an extent lies beyond what box copies address.
Result<TensorMapDescription> describeTensorMap(const ProgramTensorMap &map, const std::string &name, const void *base,
                                               const Frame &frame);

} // namespace tercet::rt
