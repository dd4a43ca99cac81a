// FmaProbe: the single-precision multiply-add peak of this machine at this moment, the denominator of every speed that
// the benchmarks and `tercet bench` report.
//
// A clock-independent constant would not do: turbo, thermal limits and neighbours on a virtual machine move the peak by
// minutes. So a timed repetition is bracketed by two probes on the same threads, and what is reported is the ratio.
// Nothing in the runtime's launch path uses this; it is a library of its own.
#pragma once

#include "tercet/Cpu.h"

#include <functional>
#include <optional>

namespace tercet::rt {

/// threads: how many threads run the probe at once (>= 1). One: the caller, wherever it runs. More: threads of the
/// probe's own, spread over the cores that the process may use.
/// milliseconds: how long (> 0). level: the instruction set whose peak is wanted; none, or one this processor cannot
/// run: the processor's own (detectCpuLevel). v4: 512-bit fused multiply-adds; v3: 256-bit; portable: 128-bit vectors,
/// multiply then add, which is what code for that level can use.
struct ProbeOptions {
  int threads = 1;
  double milliseconds = 4;
  std::optional<CpuLevel> level;
};

/// Floating-point operations per second, all threads together (a multiply-add counts two); each thread is timed by its
/// own clock and the rates are added. Registers only, no memory traffic. Blocks for the asked time; a thread that the
/// system takes off its core lowers the result. Thread-safe. Throws std::system_error if a thread cannot be started.
double measureFmaPeak(const ProbeOptions &options = {});

/// One timed run of some work and the peak around it.
struct BracketedTime {
  double seconds = 0;    ///< wall time of the work
  double peakBefore = 0; ///< FLOP/s
  double peakAfter = 0;
  double peak() const { return (peakBefore + peakAfter) / 2; }
  /// The fraction of the peak at which `flops` operations ran in `seconds`.
  double fraction(double flops) const { return flops / (seconds * peak()); }
};

/// Runs probe, work, probe on the calling thread. What `work` throws passes through.
BracketedTime timeBracketed(const std::function<void()> &work, const ProbeOptions &options = {});

} // namespace tercet::rt
