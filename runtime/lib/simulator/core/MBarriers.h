// The mbarriers of a CTA: a phase completes when all arrivals and all announced bytes are there.
//
// Barriers are objects beside the bytes of shared memory, found by offset. Ordinary accesses to their bytes fail: PTX leaves
// them undefined.
#pragma once

#include "core/Program.h"
#include "core/Races.h"
#include "core/SharedMemory.h"

#include <cstdint>
#include <string>
#include <unordered_map>

namespace tercet::sim {

struct MBarrier {
  uint32_t expected = 0; ///< arrivals of the next phases
  uint32_t pending = 0;  ///< arrivals that this phase still takes
  int64_t bytes = 0;     ///< announced and not there yet; below 0 when copies were faster than their announcement
  uint64_t phase = 0;
  uint32_t maker = 0;         ///< the warp that initialised it
  bool visible = false;       ///< a fence has made it known to asynchronous copies and other CTAs
  uint32_t line = 0;          ///< where it was initialised
  Clock gathering, completed; ///< what this phase's arrivals have seen; those of the phase before
};

class MBarriers final : public SharedObserver {
public:
  static constexpr uint32_t bytesOfOne = 8, mostArrivals = (1u << 20) - 1;
  static constexpr int64_t mostBytes = (1 << 20) - 1;

  void initialise(const Site &site, SharedMemory &memory, uint64_t offset, uint64_t count);
  void invalidate(const Site &site, uint64_t offset);
  /// The barrier at the offset; fails the site when none was initialised there, or when an earlier access is not ordered
  /// before this one.
  MBarrier &at(const Site &site, SharedMemory &memory, uint64_t offset);
  const MBarrier *find(uint64_t offset) const;

  /// The site's warp arrives `count` times. Fails the site when the phase takes fewer. `leaves`: later phases expect so
  /// many fewer.
  void arrive(const Site &site, MBarrier &barrier, uint64_t count, bool leaves = false);
  /// Bytes are announced, have come.
  void announce(const Site &site, MBarrier &barrier, uint64_t bytes);
  void complete(const Site &site, MBarrier &barrier, uint64_t bytes);
  /// Completes the phase if nothing is missing.
  static void advance(MBarrier &barrier);

  /// A fence by the warp: barriers it initialised are visible to others.
  void publish(uint32_t warp);
  /// Fails the site when an asynchronous copy would write over a barrier.
  void checkOverlap(const Site &site, uint64_t offset, uint64_t count, const char *access) const;
  /// "phase 3, where 1 of 8 arrivals and 16384 bytes are missing"
  std::string describe(uint64_t offset) const;

  void read(const Site &, SharedMemory &, uint64_t offset, uint64_t count) override;
  void write(const Site &, SharedMemory &, uint64_t offset, uint64_t count) override;

private:
  std::unordered_map<uint64_t, MBarrier> barriers;
  uint64_t lowest = ~uint64_t{0}, end = 0; ///< of the bytes of all
};

} // namespace tercet::sim
