// CudaDriver: GPUs through libcuda.so.1, which is loaded at first use; nothing of CUDA is needed to build or to link.
#pragma once

#include "tercet/rt/GpuDevice.h"

namespace tercet::rt {

/// GPU number `index` on its primary context, which frameworks of the same process share. One object per GPU and
/// process, kept while in use. deviceUnavailable with one sentence when there is no driver, no such GPU, or the driver
/// refuses. Thread-safe.
Result<std::shared_ptr<GpuDevice>> openCudaDevice(int index);

/// How many GPUs the driver shows. deviceUnavailable with the reason where there is no driver.
Result<int> countCudaDevices();

} // namespace tercet::rt
