// CpuKernel: an artifact bound to functions of this process.
#pragma once

#include "tercet/Session.h"
#include "tercet/rt/Workers.h"

#include <map>

namespace tercet::rt {

struct KernelFunction {
  CpuFunction function = nullptr; ///< null for GPU kernels
  int64_t scratchBytes = 0;       ///< per worker
  int index = -1;                 ///< of a GPU kernel: in its module
};
/// The compiled functions that a plan may name. Tests fill it with functions of their own.
using KernelTable = std::map<std::string, KernelFunction>;

/// Checks the artifact's module number `module` against the table and makes a kernel that runs on `workers`. keepAlive:
/// what the functions live in, held as long as the kernel; may be null. invalidArgument if the plan does not hold
/// together.
Result<std::shared_ptr<Kernel>> makeCpuKernel(std::shared_ptr<const Artifact> artifact, const KernelTable &functions,
                                              std::shared_ptr<const Workers> workers,
                                              std::shared_ptr<const void> keepAlive = {}, size_t module = 0);

/// Picks the best of the artifact's CPU modules that this processor runs (or the one of a level, for "cpu:v3" and so
/// on), loads it and makes a kernel. unsupportedTarget when there is none.
Result<std::shared_ptr<Kernel>> loadCpuKernel(std::shared_ptr<const Artifact> artifact, const std::string &target,
                                              std::shared_ptr<const Workers> workers);

} // namespace tercet::rt
