// A CTA and the cluster it belongs to: warps, shared memory, barriers; and the scheduler that lets warps take turns.
#pragma once

#include "core/Barriers.h"
#include "core/Counters.h"
#include "core/Effects.h"
#include "core/Program.h"
#include "core/Races.h"
#include "core/Random.h"
#include "core/SharedMemory.h"
#include "core/StateSlots.h"
#include "core/Warp.h"
#include "tercet/sim/Launch.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

namespace tercet::sim {

class Cluster;

/// What all CTAs of a launch share.
struct LaunchContext {
  const Program &program;
  const Kernel &kernel;
  const LaunchConfig &config;
  std::span<const std::byte> parameters;
  Memory &memory;
  std::vector<std::byte> moduleImage; ///< the module's variables, which live for one launch
};

class Cta {
public:
  Cta(Cluster &cluster, uint32_t rank);

  void start(std::array<uint32_t, 3> id, uint32_t linear);

  Cluster &cluster() { return owner; }
  LaunchContext &context();
  const LaunchContext &context() const;
  const Program &program() const { return context().program; }
  const Kernel &kernel() const { return context().kernel; }
  const LaunchConfig &config() const { return context().config; }
  Counters &counters();
  Effects &effects();
  /// The detector of races, or null where the launch did not ask for it.
  Races *races();

  const std::array<uint32_t, 3> &id() const { return place; }
  uint32_t linear() const { return number; }
  uint32_t rank() const { return rankInCluster; } ///< in its cluster
  uint32_t threads() const;
  uint32_t aliveThreads() const { return live; }
  void threadsExited(int count) {
    live -= uint32_t(count);
    barriers.threadsExited(*this);
  }

  /// The bytes of a thread's local memory.
  std::span<std::byte> localOf(const Warp &warp, int lane);

  SharedMemory shared;
  Barriers barriers;
  std::deque<Warp> warps;
  StateSlots state;
  /// The allocation that was accessed last, where most accesses fall again.
  const Memory::Allocation *lastAllocation = nullptr;

private:
  Cluster &owner;
  std::array<uint32_t, 3> place{};
  uint32_t number = 0;
  uint32_t rankInCluster;
  uint32_t live = 0;
  std::vector<std::byte> local;
};

/// The CTAs that run together on one host thread: one, or a cluster.
class Cluster {
public:
  Cluster(LaunchContext &context, Counters &counters);

  /// Runs the cluster of this number to its end. Throws Violation.
  void run(uint64_t number);

  size_t size() const { return ctas.size(); }
  Cta &cta(size_t rank) { return ctas[rank]; }

  LaunchContext &context;
  Counters &counters;
  Random random;
  Effects effects;
  std::unique_ptr<Races> races; ///< null where the launch did not ask for it
  StateSlots state;

private:
  void start(uint64_t number);
  /// Gives every warp a turn; false when none could use it.
  bool round(uint64_t &executed, bool &finished);
  [[noreturn]] void failDeadlock();
  [[noreturn]] void failEndless(uint64_t executed);

  std::deque<Cta> ctas;
  std::vector<Warp *> order;
};

} // namespace tercet::sim
