#include "tercet/autotune/LevelSearch.h"

#include "tercet/Status.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tercet::tune {

void LevelSearch::record(int64_t level, double error) {
  TERCET_CHECK(level >= 0 && level <= last, "a level of this search");
  errors[level] = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

std::optional<int64_t> LevelSearch::found() const {
  std::optional<int64_t> lowest;
  for (auto sample = errors.rbegin(); sample != errors.rend() && sample->second <= bound; ++sample)
    lowest = sample->first;
  return lowest;
}

std::optional<int64_t> LevelSearch::next() const {
  if (!errors.count(last))
    return last;
  std::optional<int64_t> met = found();
  if (!met || *met == 0)
    return std::nullopt;
  auto above = errors.find(*met);
  if (above == errors.begin())
    return 0;
  int64_t failed = std::prev(above)->first;
  if (*met - failed <= 1)
    return std::nullopt;
  return failed + (*met - failed) / 2;
}

double LevelSearch::largestRise() const {
  double lowest = std::numeric_limits<double>::infinity(), rise = 0;
  for (const auto &[level, error] : errors) {
    if (error > lowest)
      rise = std::max(rise, error - lowest);
    lowest = std::min(lowest, error);
  }
  return rise;
}

} // namespace tercet::tune
