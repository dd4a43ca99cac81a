// Products of a warpgroup in flight: per warp, from mma_async to the wait that retires them.
#pragma once

#include "core/Cta.h"
#include "core/RegisterWatch.h"

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

namespace tercet::sim {

/// One mma_async of a warp. Its effect happens at issue, or when it is waited for.
struct Product {
  const Instruction *in = nullptr;
  uint64_t a = 0, b = 0; ///< descriptors; a only where A lies in shared memory
  bool adds = false;     ///< to the accumulators; else overwrites them
  bool done = false;
  uint64_t group = 0;
};

struct Products {
  RegisterWatch watch;
  std::deque<Product> inFlight; ///< oldest first
  uint64_t committed = 0;
  bool fenced = false; ///< some wgmma.fence was executed
};

/// Warps of a warpgroup must go through the same sequence of such instructions. Fails the site when this one differs from what
/// another warp executed in its place. `state`: one per kind of sequence.
struct Lockstep {
  struct Step {
    uint32_t instruction = 0;
    uint64_t a = 0, b = 0;
    bool operator==(const Step &) const = default;
  };
  struct Group {
    std::deque<Step> steps; ///< those that some warp has still to execute
    uint64_t first = 0;     ///< number of steps.front()
    std::array<uint64_t, 4> count{};
  };
  std::vector<Group> groups;

  void take(const Site &site, Step step, const char *what);
  /// Fails when a warp that ends left out what others of its warpgroup executed.
  void checkEnd(const Site &site, const char *what);
};

} // namespace tercet::sim
