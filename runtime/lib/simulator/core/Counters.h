// What a host thread counts while it runs CTAs; summed into a LaunchReport.
#pragma once

#include "tercet/sim/Launch.h"

#include <cstdint>
#include <vector>

namespace tercet::sim {

struct Counters {
  std::vector<uint64_t> executed; ///< by program counter
  LaunchReport report;            ///< without the counts that follow from `executed`
};

} // namespace tercet::sim
