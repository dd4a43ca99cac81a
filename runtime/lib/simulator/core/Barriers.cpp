// A barrier completes at the arrival that fills it, and starts over with any count.
#include "core/Barriers.h"

#include "core/Cta.h"

#include <fmt/format.h>

namespace tercet::sim {

uint64_t Barriers::arrive(const Site &site, uint64_t id, uint32_t threads, uint32_t expected, uint32_t holding) {
  if (id >= count)
    site.fail(fmt::format("barrier {} does not exist; a CTA has {}", id, count));
  Barrier &barrier = barriers[id];
  if (barrier.arrived && barrier.expected != expected)
    site.fail(fmt::format("barrier {} is used with a count of {} threads, while others wait for {} (0: all)", id,
                          expected, barrier.expected));
  Cta &cta = site.warp.cta;
  uint32_t needed = expected ? expected : cta.aliveThreads();
  if (expected && (expected % warpLanes || expected > ((cta.threads() + warpLanes - 1) & ~uint32_t(warpLanes - 1))))
    site.fail(fmt::format("barrier {} counts {} threads; it takes a multiple of 32 up to the CTA's {}", id, expected,
                          cta.threads()));
  if (barrier.arrived + threads > needed)
    site.fail(fmt::format("{} threads arrive at barrier {}, where {} of {} are already", threads, id, barrier.arrived,
                          needed));
  barrier.expected = expected;
  barrier.arrived += threads;
  barrier.gathered += holding;
  if (Races *races = cta.races())
    races->release(site.warp, barrier.gathering);
  uint64_t generation = barrier.generation;
  if (barrier.arrived == needed)
    complete(barrier, cta);
  return generation;
}

void Barriers::complete(Barrier &barrier, Cta &cta) {
  barrier.result = barrier.gathered;
  barrier.resultThreads = barrier.arrived;
  barrier.arrived = barrier.gathered = barrier.expected = 0;
  barrier.released = std::move(barrier.gathering);
  barrier.gathering.clear();
  ++barrier.generation;
  ++cta.counters().report.barriers;
}

void Barriers::threadsExited(Cta &cta) {
  for (Barrier &barrier : barriers)
    if (barrier.arrived && !barrier.expected && barrier.arrived == cta.aliveThreads())
      complete(barrier, cta);
}

} // namespace tercet::sim
