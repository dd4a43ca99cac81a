// CudaPrinter: one tkern.kernel as CUDA C++ over the device library. It prints, and decides nothing: every op is one
// statement, every scope a brace, every name and constant comes from the IR. What has an `if` in it is device library.
#pragma once

#include "tercet/Status.h"
#include "tercet/compiler/cuda/GpuLowering.h"

#include <string>

namespace tercet::compiler {

/// A translation unit and what its launch needs.
struct CudaSource {
  std::string kernel; ///< the name of its __global__ function
  std::string text;
  int64_t threads = 0;                ///< of a block
  int64_t sharedBytes = 0;            ///< dynamic shared memory of a block
  std::vector<GpuArgument> arguments; ///< one per parameter
};

/// title: comment lines at the head of the text, without slashes. internal where the kernel holds an op that has no
/// statement in CUDA.
Result<CudaSource> printCuda(tkern::KernelOp kernel, const std::string &title);

} // namespace tercet::compiler
