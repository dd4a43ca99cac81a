// KeySearch: bisection over integer keys. Each step is a pass of vector compares, and some 15 steps suffice for usual
// data (32 at most), whatever the rank; nth_element costs several times as much in mispredicted branches. Long spans are
// read a few times only: once few keys are left between the bounds, these are copied together.
#pragma once

#include "Ranking.h"

#include <array>

namespace tercet::rt {

/// A bound, and the measure of the keys from it on.
struct MeasuredBound {
  int32_t key;
  double reached;
};

/// The largest bound whose measure is at least `wanted`. `measure(keys, count, bound)` adds up what keys from `bound` on
/// are worth, nothing below zero; `total` >= wanted > 0 is the measure of all keys, which lie in `range`. stopEarly: any
/// bound will do from which the measure is exactly `wanted`.
template <typename Measure>
MeasuredBound searchKey(const int32_t *keys, int64_t count, KeyRange range, double wanted, double total, bool stopEarly,
                        Measure measure) {
  constexpr int64_t capacity = 4096;
  constexpr int stepsBetweenCopies = 3;
  std::array<int32_t, capacity> near;
  MeasuredBound low = {range.least, total};
  int64_t high = int64_t{range.largest} + 1;
  double atHigh = 0, beyond = 0; // what keys from `high` on are worth, and what those are that were left out of `near`
  auto copyNear = [&] {
    int64_t found = 0;
    for (int64_t j = 0; j < count; ++j) {
      if (found == capacity)
        return;
      near[static_cast<size_t>(found)] = keys[j];
      found += keys[j] >= low.key && keys[j] < high;
    }
    keys = near.data();
    count = found;
    beyond = atHigh;
  };
  for (int step = 1; high - low.key > 1 && !(stopEarly && low.reached == wanted); ++step) {
    auto middle = static_cast<int32_t>(low.key + (high - low.key) / 2);
    double reached = beyond + measure(keys, count, middle);
    if (reached >= wanted) {
      low = {middle, reached};
    } else {
      high = middle;
      atHigh = reached;
    }
    if (count > capacity && step % stepsBetweenCopies == 0)
      copyNear();
  }
  return low;
}

} // namespace tercet::rt
