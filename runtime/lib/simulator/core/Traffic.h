// Counts of memory traffic: sectors of global memory, wavefronts of shared memory.
#pragma once

#include "core/Program.h"
#include "tercet/sim/Launch.h"

#include <array>
#include <cstdint>

namespace tercet::sim {

using LaneAddresses = std::array<uint64_t, 32>;

/// Sectors of 32 bytes that the lanes of `mask` touch with accesses of `bytes` bytes each.
uint64_t countSectors(const LaneAddresses &addresses, Mask mask, uint32_t bytes);

/// Adds one access of the lanes of `mask` to shared memory. Hardware serves 128 bytes per wavefront from 32 banks of
/// 4 bytes: accesses of 8 and 16 bytes take two and four wavefronts at least, words of one bank one after another.
void addShared(SharedTraffic &traffic, const LaneAddresses &addresses, Mask mask, uint32_t bytes);

} // namespace tercet::sim
