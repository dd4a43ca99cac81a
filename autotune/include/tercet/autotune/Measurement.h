// Measurement: one timed sample, and what many of them come to on a machine that others use, too.
//
// The cost of a candidate is the lower quartile of its times, in which the machine's drift is made up for. Neighbours, interrupts and
// clocks below the highest only ever add time: a median measures them as soon as they take half of the samples, a quartile only
// at three quarters, and a minimum rests on one lucky sample. Times are first scaled by the multiply-add peak around them, where there is
// a probe and samples of a candidate agree better for it, and then by the drift: the median, over the samples nearest in time, of how far each
// lies from its own candidate's cost. Only candidates that were measured often tell of drift (docs/autotuning.md#cost).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tercet::tune {

struct Measurement {
  double ms = 0;
  /// Floating-point operations per second that the machine could do around the sample, as a probe found; 0: no probe.
  double peak = 0;
};

/// A measurement of one of the candidates; lists of them are in the order of time.
struct Sample {
  size_t candidate = 0;
  Measurement measured;
};

/// What the samples of one candidate come to.
struct Estimate {
  int64_t samples = 0;
  double cost = 0;                      ///< ms: the lower quartile after corrections; what candidates are compared by
  double least = 0;                     ///< ms: the smallest after corrections
  double low = 0, median = 0, high = 0; ///< ms: quartiles of the times as they were taken
};

/// One for each of `candidates` candidates; of those without samples all is 0.
std::vector<Estimate> estimateCosts(std::span<const Sample> samples, size_t candidates);

/// How much slower one candidate is than another, by the ratios of samples taken side by side.
struct Ratio {
  int64_t pairs = 0;
  double median = 1, low = 1,
         high = 1; ///< low, high: the median lies between with 95 % confidence, whatever the noise is
};

/// Of fewer pairs all lie on one side of the median in more than 5 % of cases: they show no difference, and `low` is at most 1.
inline constexpr int64_t fewestPairs = 6;

/// slow[i] and fast[i] were taken in the same round.
Ratio ratioOf(std::span<const double> slow, std::span<const double> fast);

/// The quantile of unsorted values by linear interpolation; 0 of none.
double quantile(std::vector<double> values, double share);

} // namespace tercet::tune
