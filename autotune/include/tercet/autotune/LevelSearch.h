// LevelSearch: the smallest of a row of levels at which an error meets a bound, where the error is expected to fall from level
// to level. Bisection; what was measured is kept, and says how far the expectation holds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace tercet::tune {

class LevelSearch {
public:
  /// Levels 0 to last.
  LevelSearch(int64_t last, double bound) : last(last), bound(bound) {}

  /// NaN counts as infinite.
  void record(int64_t level, double error);
  /// The level to measure next; nothing once `found` cannot become smaller, or the last level fails. At most 2 + log2(last)
  /// levels; fewer after levels recorded beforehand.
  std::optional<int64_t> next() const;
  /// The smallest measured level that meets the bound, as do all measured levels above. Where the error does not fall, a smaller
  /// one may exist; this one is met in any case.
  std::optional<int64_t> found() const;
  /// The most by which a measured error lies above that of a lower level; 0 where errors fall.
  double largestRise() const;
  const std::map<int64_t, double> &measured() const { return errors; }

private:
  int64_t last;
  double bound;
  std::map<int64_t, double> errors;
};

} // namespace tercet::tune
