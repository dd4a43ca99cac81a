// SimulationCounts: what the simulator counted, summed per kernel.
#pragma once

#include "tercet/rt/GpuDevice.h"
#include "tercet/sim/Launch.h"

#include <map>

namespace tercet::rt {

class SimulationCounts {
public:
  void add(const std::string &kernel, const sim::LaunchReport &report);
  void clear() { sums.clear(); }
  /// Per kernel, by name: launches, and sums of instructions (warp instructions), warps, instructions_per_warp, bytes of
  /// global memory and of asynchronous copies, sectors of 32 bytes, shared-memory wavefronts and how many of them are bank
  /// conflicts, matrix FLOPs, barriers.
  std::vector<GpuKernelCounts> list() const;

private:
  struct Sum {
    int64_t launches = 0;
    sim::LaunchReport report;
  };
  std::map<std::string, Sum> sums;
};

} // namespace tercet::rt
