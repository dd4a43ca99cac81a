// The 16 named barriers of a CTA.
#pragma once

#include "core/Program.h"
#include "core/Races.h"

#include <array>
#include <cstdint>

namespace tercet::sim {

class Cta;
struct Site;

class Barriers {
public:
  static constexpr uint32_t count = 16;

  struct Barrier {
    uint32_t arrived = 0;
    uint32_t expected = 0; ///< threads; 0: all threads of the CTA that have not exited
    uint64_t generation = 0;
    uint32_t gathered = 0;                  ///< threads whose predicate held, of a reduction in progress
    uint32_t result = 0, resultThreads = 0; ///< of the last generation
    Clock gathering, released;              ///< what those who arrived had seen; of the last generation
  };

  void reset() { barriers = {}; }
  const Barrier &operator[](uint64_t id) const { return barriers[id]; }

  /// `threads` arrive, `holding` of them with a true predicate. Completes the barrier when all are there. Fails the site
  /// when the barrier was started with another count, or when more arrive than it takes. Returns the generation to wait out.
  uint64_t arrive(const Site &site, uint64_t id, uint32_t threads, uint32_t expected, uint32_t holding = 0);
  /// Threads have exited: barriers of the whole CTA may be complete now.
  void threadsExited(Cta &cta);

private:
  static void complete(Barrier &barrier, Cta &cta);
  std::array<Barrier, count> barriers;
};

} // namespace tercet::sim
