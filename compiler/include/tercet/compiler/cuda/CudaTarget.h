// CudaTarget: the NVIDIA architectures that Tercet compiles for, and what decides schedules on each.
#pragma once

#include "tercet/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tercet::compiler {

/// Numbers from the CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
struct CudaTarget {
  std::string name;        ///< "sm_80", "sm_90a": what NVRTC's -arch takes
  int number = 0;          ///< 80, 90, 120
  char variant = 0;        ///< 'a' (this architecture only), 'f' (its family), or 0
  int64_t sharedBytes = 0; ///< per block, opted in at launch
  int64_t sharedBytesPerProcessor = 0;
  bool hasWarpgroups = false; ///< wgmma, setmaxnreg, box copies: sm_90a
};

/// unsupportedTarget for anything that is not an architecture with asynchronous copies and bf16 products (sm_80 on).
/// Whether the NVRTC at hand compiles for it is NVRTC's to say.
Result<CudaTarget> parseCudaTarget(std::string_view name);

/// Whether a target names an NVIDIA architecture at all, known or not: "sm_...".
bool isCudaTarget(std::string_view name);

} // namespace tercet::compiler
