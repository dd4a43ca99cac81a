// What CTAs of a cluster do with each other: barrier.cluster.arrive and wait, mapa, getctarank.
//
// A phase completes when every thread of the cluster that has not exited has arrived.
#include "core/AddressSpace.h"
#include "core/Cta.h"
#include "families/Families.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

struct ClusterPhase {
  uint64_t number = 0;
  Clock gathering, completed;
};
struct ClusterArrivals {
  Mask arrived = 0;   ///< in this phase
  Mask mayWait = 0;   ///< arrived and did not wait yet
  uint64_t phase = 0; ///< of the last arrival
};

ClusterArrivals *arrivalsOf(const Warp &warp) { return const_cast<Warp &>(warp).state.find<ClusterArrivals>(); }

// Completes the phase if all are there; whether phase `number` is over.
bool isOver(const Warp &warp, const Wait &wait) {
  Cluster &cluster = warp.cta.cluster();
  ClusterPhase &phase = cluster.state.get<ClusterPhase>();
  if (phase.number != wait.a)
    return true;
  for (size_t rank = 0; rank < cluster.size(); ++rank)
    for (Warp &other : cluster.cta(rank).warps) {
      ClusterArrivals *arrivals = arrivalsOf(other);
      if (other.alive & ~(arrivals ? arrivals->arrived : 0))
        return false;
    }
  for (size_t rank = 0; rank < cluster.size(); ++rank)
    for (Warp &other : cluster.cta(rank).warps)
      if (ClusterArrivals *arrivals = arrivalsOf(other))
        arrivals->arrived = 0;
  ++phase.number;
  phase.completed = std::move(phase.gathering);
  phase.gathering.clear();
  return true;
}

std::string describe(const Warp &warp, const Wait &wait) {
  Cluster &cluster = warp.cta.cluster();
  uint32_t arrived = 0, alive = 0;
  for (size_t rank = 0; rank < cluster.size(); ++rank)
    for (Warp &other : cluster.cta(rank).warps) {
      ClusterArrivals *arrivals = arrivalsOf(other);
      alive += uint32_t(std::popcount(other.alive));
      arrived += uint32_t(std::popcount(other.alive & (arrivals ? arrivals->arrived : 0)));
    }
  return fmt::format("for phase {} of the cluster's barrier, where {} of {} threads are", wait.a, arrived, alive);
}

void acquire(Warp &warp, const Wait &) {
  if (Races *races = warp.cta.races())
    races->acquire(warp, warp.cta.cluster().state.get<ClusterPhase>().completed);
}

// variant2: aligned.
void arrive(Warp &warp, const Instruction &in, Mask mask) {
  if (in.variant2 && !warp.gather(in, mask, warp.alive))
    return;
  ClusterArrivals &arrivals = warp.state.get<ClusterArrivals>();
  ClusterPhase &phase = warp.cta.cluster().state.get<ClusterPhase>();
  if (Mask twice = arrivals.mayWait & mask)
    warp.fail(in, twice, "arrives at the cluster's barrier twice without waiting in between");
  arrivals.arrived |= mask;
  arrivals.mayWait |= mask;
  arrivals.phase = phase.number;
  if (Races *races = warp.cta.races())
    races->release(warp, phase.gathering);
  isOver(warp, Wait{nullptr, nullptr, phase.number, 0, nullptr});
}

void wait(Warp &warp, const Instruction &in, Mask mask) {
  if (in.variant2 && !warp.gather(in, mask, warp.alive))
    return;
  ClusterArrivals &arrivals = warp.state.get<ClusterArrivals>();
  if (Mask early = mask & ~arrivals.mayWait)
    warp.fail(in, early, "waits at the cluster's barrier without having arrived");
  arrivals.mayWait &= ~mask;
  warp.suspend(in, mask, Wait{isOver, describe, arrivals.phase, 0, acquire}, false);
}

void decodeForm(Decoding &d) {
  bool arrives = d.take("arrive");
  if (!arrives && !d.take("wait"))
    d.fail("is neither .arrive nor .wait");
  for (const char *order : {"release", "relaxed", "acquire"})
    d.take(order);
  d.in.variant2 = d.take("aligned");
  d.expectOperands(0);
  d.countAs(arrives ? "barrier.cluster.arrive" : "barrier.cluster.wait");
  d.run(arrives ? arrive : wait);
}

// The address of the same place in the CTA of rank from[1]. flag: 64 bits; flag2: a generic address.
void mapAddress(Warp &warp, const Instruction &in, Mask mask) {
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int lane = firstLane(rest);
    Site site{warp, in, lane};
    uint64_t address = in.flag ? warp.wide(in.from[0])[lane] : warp.word(in.from[0])[lane];
    if (in.flag2 && resolveGeneric(address) != Space::shared)
      site.fail("maps an address that is not one of shared memory");
    uint32_t rank = warp.word(in.from[1])[lane];
    if (rank >= warp.cta.cluster().size())
      site.fail(fmt::format("maps an address to CTA {} of a cluster that has {}", rank, warp.cta.cluster().size()));
    sharedOwner(site, address);
    address += (uint64_t{rank} + 1) * sharedWindowOfCta + (in.flag2 ? windowOf(Space::shared) : 0);
    if (in.flag)
      warp.wide(in.to[0])[lane] = address;
    else
      warp.word(in.to[0])[lane] = uint32_t(address);
  }
}

void rankOf(Warp &warp, const Instruction &in, Mask mask) {
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int lane = firstLane(rest);
    Site site{warp, in, lane};
    uint64_t address = in.flag ? warp.wide(in.from[0])[lane] : warp.word(in.from[0])[lane];
    if (in.flag2 && resolveGeneric(address) != Space::shared)
      site.fail("asks for the CTA of an address that is not one of shared memory");
    warp.word(in.to[0])[lane] = sharedOwner(site, address).rank();
  }
}

void decodeMap(Decoding &d) {
  bool shared = d.take("shared::cluster");
  Type type = d.takeType();
  if (type != Type::u32 && type != Type::u64)
    d.fail("maps addresses of .u32 or .u64");
  d.expectOperands(3);
  d.to(0, type);
  d.from(1, type);
  d.from(2, Type::u32);
  d.in.flag = type == Type::u64;
  d.in.flag2 = !shared;
  d.run(mapAddress);
}

void decodeRank(Decoding &d) {
  bool shared = d.take("shared::cluster");
  Type type = d.takeType();
  d.expectOperands(2);
  d.to(0, Type::u32);
  d.from(1, type);
  d.in.flag = type == Type::u64;
  d.in.flag2 = !shared;
  d.run(rankOf);
}

constexpr Rule rules[] = {{"barrier.cluster", decodeForm}, {"mapa", decodeMap}, {"getctarank", decodeRank}};

} // namespace

Rules clusterBarrierRules() { return rules; }

} // namespace tercet::sim
