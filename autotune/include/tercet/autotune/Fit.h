// Fit: of several ways to stand in for exact attention, each with a level per head that trades error for time, the one that
// meets a bound on the error of every head in the least time.
//
// Search: every contender is first measured at a few levels, the same in all heads: the trade-off curve. Within what these leave
// open every head is bisected, all heads in the same launches. Cost: the time of a launch at the levels found, repeated in turns
// with all others and with the exact one, so that a disturbance meets all of them; the median decides. Nothing here knows what a
// contender is.
#pragma once

#include "tercet/Status.h"
#include "tercet/autotune/HeadErrors.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace tercet::tune {

class Contender {
public:
  virtual ~Contender() = default;
  /// Levels are 0 to lastLevel() in every head; the last is the most exact.
  virtual int64_t lastLevel() const = 0;
  /// Launches with these levels, one per head, and compares.
  virtual Result<HeadErrors> errors(const std::vector<int64_t> &levels) = 0;
  /// Milliseconds of such a launch.
  virtual Result<double> time(const std::vector<int64_t> &levels) = 0;
};

struct FitOptions {
  double maxError = 0; ///< of every head, and so of all together
  int64_t heads = 1;
  int64_t curvePoints = 9;        ///< levels that a curve is measured at; at least 2
  int64_t repetitions = 7;        ///< timed launches of every fitted contender, and of the exact one
  double budgetSeconds = 120;     ///< no repetition begins after that, but for the first three
  std::function<void()> onLaunch; ///< after every launch; may be empty
};

/// Launches of one point, in ms.
struct Times {
  std::vector<double> ms;
  double median() const { return quantile(0.5); }
  double quantile(double share) const;
};

struct CurvePoint {
  int64_t level = 0; ///< of all heads
  HeadErrors errors;
  Times times;
};

struct ContenderFit {
  std::vector<int64_t> levels; ///< per head: the smallest found, or the one nearest to the bound
  HeadErrors errors;           ///< at these levels, measured
  bool reached = false;        ///< every head meets the bound
  int64_t searchLaunches = 0;
  /// The most by which an error rose from one measured level to a higher one, in any head: 0 where bisection rests on what it
  /// assumes. Where it does not, the levels meet the bound all the same, but lower ones may, too.
  double largestRise = 0;
  Times times;                   ///< empty where the bound is not reached
  std::vector<CurvePoint> curve; ///< by level
};

struct FitResult {
  std::vector<ContenderFit> contenders; ///< as they were given
  Times exact;
  std::optional<size_t> best; ///< the least median of those that reached the bound
  size_t nearest = 0;         ///< the least largest error of a head, for where there is none
};

/// contenders: at least one, borrowed. timeExact: the milliseconds of an exact launch. Errors are theirs.
Result<FitResult> fit(const std::vector<Contender *> &contenders, const std::function<Result<double>()> &timeExact,
                      const FitOptions &options);

} // namespace tercet::tune
