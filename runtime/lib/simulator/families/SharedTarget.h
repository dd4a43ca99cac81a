// Where an address of shared memory lies: in which CTA of the cluster, at which offset.
#pragma once

#include "core/AddressSpace.h"
#include "core/Cta.h"
#include "core/MBarriers.h"

namespace tercet::sim {

struct SharedTarget {
  Cta *cta = nullptr;
  uint64_t offset = 0;

  MBarriers &barriers() const { return cta->state.get<MBarriers>(); }
};

/// Resolves an address of `space` (shared or generic). Fails the site when it is not one of shared memory, or when its CTA
/// has ended.
inline SharedTarget sharedTarget(const Site &site, Space space, uint64_t address) {
  if (space == Space::generic)
    space = resolveGeneric(address);
  if (space != Space::shared)
    site.fail("takes an address of shared memory; this one lies elsewhere");
  SharedTarget target;
  target.cta = &sharedOwner(site, address);
  target.offset = address;
  if (!target.cta->aliveThreads())
    site.fail("touches the shared memory of a CTA of the cluster that has ended");
  return target;
}

} // namespace tercet::sim
