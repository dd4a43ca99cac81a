// ProblemClass: calls that are tuned as one, and how far apart two of them are. docs/autotuning.md#distance
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace tercet::tune {

/// A call, as far as schedules care.
struct ProblemShape {
  int64_t batchHeads = 1;        ///< batch * query heads
  int64_t headsPerKeyHead = 1;   ///< query heads that share a key head
  int64_t queries = 1, keys = 1; ///< tokens
  double kept = 1;               ///< the fraction of pairs of blocks that is computed exactly, in [0, 1]
  /// How much of a row's list of blocks the next row's has, too: |L(i) and L(i+1)| / |L(i)|, its mean over rows, in
  /// [0, 1]. Absent: not known.
  std::optional<double> overlap;
  friend bool operator==(const ProblemShape &, const ProblemShape &) = default;
};

/// In place of a kept fraction's bucket: not known, as before the thresholds of a call are.
inline constexpr int keptUnknown = 1;

/// The buckets of a shape. Sizes are at least 1.
struct ProblemClass {
  int batchHeads = 0, headsPerKeyHead = 0; ///< octaves: the nearest power of two
  int queries = 0, keys = 0;               ///< half octaves: the nearest power of sqrt(2)
  int kept = 0;                            ///< half octaves, from -20 (about 0.1 % or less) to 0 (all), or keptUnknown
  int overlap = -1;                        ///< quarters, from 0 to 4; -1: not known
  friend auto operator<=>(const ProblemClass &, const ProblemClass &) = default;
  /// Its middle, rounded, as in "bh 4, 8192 x 8192, kept 4.42 %, 2 per key head, overlap 0.25".
  std::string text() const;
};

ProblemClass classOf(const ProblemShape &shape);

/// The weighted sum of what two classes differ by in octaves (log2 of the ratio): 1/2 for heads and tokens, 1 for heads
/// per key head and the kept fraction, and 1 for each unit of overlap. Where only one of them is known, 1/2 for the kept
/// fraction and 1/4 for overlap. It is symmetric, and 0 for equal classes alone.
double distance(const ProblemClass &a, const ProblemClass &b);

/// What a record's distance may be at most; beyond, the analytic default is the better guess.
inline constexpr double farthest = 2;

} // namespace tercet::tune
