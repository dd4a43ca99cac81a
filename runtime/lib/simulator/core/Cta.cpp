// State of a CTA.
#include "core/Cta.h"

namespace tercet::sim {

Cta::Cta(Cluster &cluster, uint32_t rank) : owner(cluster), rankInCluster(rank) {
  uint32_t count = (threads() + warpLanes - 1) / warpLanes;
  for (uint32_t i = 0; i < count; ++i)
    warps.emplace_back(*this, i);
}

LaunchContext &Cta::context() { return owner.context; }
const LaunchContext &Cta::context() const { return owner.context; }
Counters &Cta::counters() { return owner.counters; }
Effects &Cta::effects() { return owner.effects; }
Races *Cta::races() { return owner.races.get(); }

uint32_t Cta::threads() const {
  const auto &block = config().block;
  return block[0] * block[1] * block[2];
}

void Cta::start(std::array<uint32_t, 3> id, uint32_t linear) {
  place = id;
  number = linear;
  live = threads();
  lastAllocation = nullptr;
  uint64_t bytes = kernel().info.staticSharedBytes + config().dynamicShared;
  shared.reset(bytes, config().checks.uninitialised);
  barriers.reset();
  state.clear();
  local.assign(size_t{kernel().localBytes} * threads(), std::byte{0xff});
  for (Warp &warp : warps)
    warp.start();
}

std::span<std::byte> Cta::localOf(const Warp &warp, int lane) {
  size_t bytes = kernel().localBytes;
  return std::span(local).subspan((warp.index * warpLanes + size_t(lane)) * bytes, bytes);
}

} // namespace tercet::sim
