// Samples: how a benchmark repeats, filters and sums up. Every repetition is bracketed by two FMA probes on the same
// threads; one in which the process waited for a core is taken again, whatever its result, and counted.
#pragma once

#include "tercet/rt/FmaProbe.h"

#include <functional>
#include <string>
#include <vector>

namespace tercet::bench {

/// Median and quartiles of a sample.
struct Quartiles {
  double q1 = 0, median = 0, q3 = 0;
};
Quartiles quartilesOf(std::vector<double> values);

/// The interval between two order statistics that holds the population's median with at least 90 % probability
/// (binomial; needs 5 values, with fewer it is the whole range and `exact` is false).
struct MedianInterval {
  double low = 0, high = 0;
  bool exact = true;
};
MedianInterval medianInterval90(std::vector<double> values);

/// How repetitions are taken. waitLimit: the share of a thread's time, on average over `threads`, that it may spend runnable but
/// not running before the repetition is taken again, after a pause; at most 3 * repetitions times in all for a
/// contender. probeMs: length of one probe.
struct RepeatOptions {
  int repetitions = 21;
  int threads = 1;
  double probeMs = 4;
  double waitLimit = 0.01;
  std::optional<CpuLevel> level;         ///< whose peak; none: the processor's own
  std::function<void(size_t)> afterKept; ///< called with the contender's index after a repetition that counts
};

/// What the repetitions of one piece of work gave; index i of every contender is taken in the same round.
struct Series {
  std::vector<double> seconds, peak;
  int retaken = 0;
  int disturbed = 0; ///< repetitions that count although the process waited, because too many were taken again
  /// Per repetition: flops / (seconds * peak).
  std::vector<double> fractions(double flops) const;
};

/// Runs the contenders in turn, round by round (A B, A B, ..), after one untimed run each.
std::vector<Series> interleave(const std::vector<std::function<void()>> &contenders, const RepeatOptions &options);

} // namespace tercet::bench
