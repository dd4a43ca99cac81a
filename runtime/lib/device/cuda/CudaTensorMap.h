// CudaTensorMap: tensor maps in the driver's own encoding, which is not documented: only the driver may write it.
#pragma once

#include "CudaApi.h"

#include "tercet/rt/GpuDevice.h"

namespace tercet::rt::cuda {

/// Elements outside are zero; the L2 cache promotes to 128 bytes. Host work only, needs no current context.
Result<TensorMapBytes> encodeTensorMap(const CudaApi &api, const TensorMapDescription &description);

} // namespace tercet::rt::cuda
