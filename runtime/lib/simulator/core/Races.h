// Data races in shared memory: two warps that touch the same bytes, one of them writing, with nothing in between that orders
// them; and two lanes of one warp that do so without a __syncwarp.
//
// Every warp has a vector clock. An access is ordered before another when its warp's clock, at that time, has reached the
// other warp through releases and acquires (barriers, mbarriers). Each word of 4 bytes remembers its last write and the
// reads since. Asynchronous copies write as agents of their own, whose clocks travel with whatever completes them.
#pragma once

#include "core/Program.h"
#include "core/SharedMemory.h"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace tercet::sim {

class Cta;
class Cluster;
class Warp;

/// How much of every agent's past is known; what a barrier carries from those who arrive to those who pass.
using Clock = std::vector<uint32_t>;

class Races final : public SharedObserver {
public:
  /// Agents that are not warps: asynchronous copies are spread over so many of them.
  static constexpr uint32_t asyncAgents = 8;

  explicit Races(Cluster &cluster);
  /// Forgets everything, for the next cluster.
  void reset();

  // Accesses of threads, by shared memory itself.
  void read(const Site &site, SharedMemory &memory, uint64_t offset, uint64_t count) override;
  void write(const Site &site, SharedMemory &memory, uint64_t offset, uint64_t count) override;
  void update(const Site &site, SharedMemory &memory, uint64_t offset, uint64_t count) override;

  // Synchronisation, by families. All are of whole warps.

  /// What the warp has seen goes into `clock`; what it does from now on does not.
  void release(Warp &warp, Clock &clock);
  /// What went into `clock` is ordered before all that the warp does from now on.
  void acquire(Warp &warp, const Clock &clock);
  /// The lanes of a warp have synchronised with each other.
  void synchronise(Warp &warp);

  // Proxies: clocks also carry how much of every agent's past has passed a proxy fence.

  struct Moment {
    uint32_t agent = 0, clock = 0;
  };
  Moment now(const Warp &warp) const { return {agentOf(warp), clocks[agentOf(warp)][agentOf(warp)]}; }
  /// What the warp has done and seen is fenced for other proxies.
  void fenceProxies(Warp &warp);
  /// Whether a write at this moment passed a proxy fence on its way to the warp.
  bool fenced(const Warp &warp, Moment write) const;
  static void join(Clock &into, const Clock &from);

  // Asynchronous writes by copies that an mbarrier completes: check at issue, record when they land.

  /// Fails the site unless all that touched these bytes is ordered before its warp.
  void checkWrite(const Site &site, SharedMemory &memory, uint64_t offset, uint64_t count);
  /// The bytes were written by the asynchronous agent; the write goes into `clock`, which the completion carries.
  void landed(uint32_t agent, SharedMemory &memory, uint64_t offset, uint64_t count, Clock &clock);

private:
  struct Access {
    uint16_t agent = 0;
    uint8_t lane = 0;
    uint32_t clock = 0; ///< 0: none
    uint32_t line = 0;
  };
  struct Word {
    Access written;
    uint8_t writtenBytes = 0; ///< of the 4
    bool atomic = false;
    Access read;
    bool manyReaders = false; ///< then the others are in `readers`
  };
  struct Shadow {
    std::vector<Word> words;
    std::unordered_map<uint64_t, std::vector<Access>> readers;
  };

  Shadow &shadowOf(const SharedMemory &memory);
  uint32_t agentOf(const Warp &warp) const;
  bool ordered(const Access &earlier, const Site &site, uint32_t agent) const;
  void checkReads(const Site &site, const Shadow &shadow, uint64_t index, uint32_t agent) const;
  [[noreturn]] void fail(const Site &site, const Access &earlier, const char *kinds, uint64_t offset) const;
  Access access(const Site &site, uint32_t agent) const;
  template <typename F> static void forWords(uint64_t offset, uint64_t count, F f);

  Cluster &cluster;
  std::vector<Clock> clocks;   ///< by agent
  std::vector<Shadow> shadows; ///< by CTA of the cluster
};

} // namespace tercet::sim
