// launch: runs a kernel of a Module on Memory and says what it did, or what it did wrong.
#pragma once

#include "tercet/sim/Memory.h"
#include "tercet/sim/Module.h"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace tercet::sim {

/// In which order the warps of a CTA take turns.
enum class WarpOrder : uint8_t { ascending, seeded };

/// When the bytes of an asynchronous copy (or the sums of an asynchronous product) arrive.
enum class Landing : uint8_t {
  atIssue, ///< at once
  seeded,  ///< at issue or as late as legal, drawn per effect
  latest,  ///< when something waits for them, or nothing else can run
};

/// What is looked for besides bounds and alignment, which always are.
struct Checks {
  /// Shared memory that is read before it was written, or while an asynchronous copy into it has not been waited for.
  bool uninitialised = true;
  /// Two warps that touch the same shared bytes, one of them writing, with no barrier in between. Costs time and memory.
  bool races = false;
};

struct LaunchConfig {
  std::array<uint32_t, 3> grid{1, 1, 1};    ///< CTAs
  std::array<uint32_t, 3> block{32, 1, 1};  ///< threads of a CTA
  std::array<uint32_t, 3> cluster{1, 1, 1}; ///< CTAs of a cluster
  uint32_t dynamicShared = 0;               ///< bytes behind the kernel's static shared memory
  uint64_t seed = 0;                        ///< of everything that is drawn; equal seeds give equal runs
  uint32_t quantum = 0; ///< at most this many instructions per turn of a warp, the number drawn; 0: long turns
  WarpOrder order = WarpOrder::ascending;
  Landing landing = Landing::atIssue;
  uint32_t sleepAfterArrival = 0; ///< up to this many turns a warp sleeps after it arrived at an mbarrier
  Checks checks;
  uint32_t hostThreads = 0;                     ///< CTAs run on so many threads; 0: as many as the machine has
  uint64_t maxInstructions = uint64_t{1} << 28; ///< per CTA; a kernel that runs longer is stopped
};

/// Wavefronts of shared memory: how many were needed, and how many would be without bank conflicts.
struct SharedTraffic {
  uint64_t bytes = 0;
  uint64_t wavefronts = 0;
  uint64_t ideal = 0;
};

/// Counts are of warp instructions, bytes are sums over threads, of the whole grid. Sectors are of 32 bytes, each counted
/// once per warp instruction: sectors * 32 is what L2 sends or takes when L1 never hits.
struct LaunchReport {
  std::map<std::string, uint64_t> instructions; ///< by kind, such as "ld.shared"
  uint64_t totalInstructions = 0;
  uint64_t warps = 0;
  uint64_t globalLoadBytes = 0, globalStoreBytes = 0;
  uint64_t globalLoadSectors = 0, globalStoreSectors = 0;
  SharedTraffic sharedLoad, sharedStore, sharedMatrix; ///< ld, st, ldmatrix and stmatrix
  uint64_t asyncBytes = 0;                             ///< of asynchronous copies
  uint64_t matrixFlops = 0;
  uint64_t barriers = 0; ///< completed by a CTA

  double instructionsPerWarp() const { return warps ? double(totalInstructions) / double(warps) : 0; }
};

/// Runs `kernel` to its end. `parameters` are its parameter bytes, exactly KernelInfo::parameterBytes of them.
///
/// CTAs (or clusters) run one after another on each host thread; kernels with atomics on global memory run on one thread,
/// in order. Results and reports do not depend on the number of threads. Writes to `memory` that happened before a
/// violation stay.
///
/// Errors: invalidArgument for a launch that a driver would refuse; launchFailed for a violation, with one sentence
/// (what, where in the PTX, which CTA, warp and thread) and the instruction as a note.
Result<LaunchReport> launch(const Module &module, std::string_view kernel, const LaunchConfig &config,
                            std::span<const std::byte> parameters, Memory &memory);

} // namespace tercet::sim
