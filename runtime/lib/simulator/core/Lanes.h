// Loops over the lanes of a warp.
#pragma once

#include "core/Program.h"
#include "tercet/LoopHints.h"

#include <bit>

namespace tercet::sim {

constexpr int warpLanes = 32;

/// f(lane) for every lane of the mask. The whole warp is a loop without branches, which the compiler may vectorise:
/// a handler writes only its own lane, so registers that are both read and written do not matter.
template <typename F> [[gnu::always_inline]] inline void forLanes(Mask mask, F &&f) {
  if (mask == allLanes) {
    TERCET_INDEPENDENT
    for (int lane = 0; lane < warpLanes; ++lane)
      f(lane);
    return;
  }
  for (; mask; mask &= mask - 1)
    f(std::countr_zero(mask));
}

inline int firstLane(Mask mask) { return std::countr_zero(mask); }

} // namespace tercet::sim
