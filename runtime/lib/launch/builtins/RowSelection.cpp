// Selection by thresholds. Scores become integers of the same order; the key of rank `kept` is found by bisection over
// the integers, counting keys above the middle: each step is a pass of vector compares, and some 15 steps suffice for
// usual data (32 at most), whatever the rank. nth_element costs several times as much in mispredicted branches.
#include "RowSelection.h"

#include "Dispatch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace tercet::rt {
namespace {

/// Integers in the order of the floats: -0 equals +0, NaN lies below -infinity.
struct MakeKeys {
  [[gnu::always_inline]] static inline void run(const float *scores, int64_t count, int32_t *keys) {
    for (int64_t j = 0; j < count; ++j) {
      int32_t bits = std::bit_cast<int32_t>(scores[j]);
      int32_t magnitude = bits & 0x7fffffff;
      int32_t key = bits < 0 ? -magnitude : magnitude;
      keys[j] = magnitude > 0x7f800000 ? INT32_MIN : key;
    }
  }
};

struct MinMax {
  [[gnu::always_inline]] static inline void run(const int32_t *keys, int64_t count, int32_t *least, int32_t *most) {
    int32_t low = INT32_MAX, high = INT32_MIN;
    for (int64_t j = 0; j < count; ++j) {
      low = std::min(low, keys[j]);
      high = std::max(high, keys[j]);
    }
    *least = low;
    *most = high;
  }
};

struct CountAtLeast {
  [[gnu::always_inline]] static inline void run(const int32_t *keys, int64_t count, int32_t bound, int64_t *result) {
    int32_t total = 0; // rows have fewer than 2^31 blocks
    for (int64_t j = 0; j < count; ++j)
      total += keys[j] >= bound;
    *result = total;
  }
};

/// +1 from `critical` up, -1 below `negligible`, else 0.
struct ClassesByBounds {
  [[gnu::always_inline]] static inline void run(const int32_t *keys, int64_t count, int32_t critical,
                                                int32_t negligible, int8_t *classes) {
    for (int64_t j = 0; j < count; ++j)
      classes[j] = static_cast<int8_t>((keys[j] >= critical) - (keys[j] < negligible));
  }
};

int64_t countAtLeast(const int32_t *keys, int64_t count, int64_t bound) {
  if (bound > INT32_MAX)
    return 0;
  int64_t result = 0;
  Dispatch<CountAtLeast, const int32_t *, int64_t, int32_t, int64_t *>::call(keys, count, static_cast<int32_t>(bound),
                                                                             &result);
  return result;
}

/// The largest bound with at least `wanted` keys from it up, and how many those are. 1 <= wanted <= count.
struct Bound {
  int64_t key, reached;
};
Bound boundFor(const int32_t *keys, int64_t count, int64_t wanted, int32_t least, int32_t most) {
  Bound low = {least, count};
  int64_t high = int64_t{most} + 1;
  while (low.reached != wanted && high - low.key > 1) {
    int64_t middle = low.key + (high - low.key) / 2;
    int64_t reached = countAtLeast(keys, count, middle);
    if (reached >= wanted)
      low = {middle, reached};
    else
      high = middle;
  }
  return low;
}

/// Candidates are the blocks that are not forced: up to two ranges, their keys stored one behind the other.
struct Ranges {
  int64_t begin[2], end[2];
  int64_t size() const { return end[0] - begin[0] + end[1] - begin[1]; }
};

Ranges candidatesOf(const RowRule &rule) {
  int64_t first = std::clamp<int64_t>(rule.sink, 0, rule.live);
  int64_t gapBegin = std::clamp(rule.diagonalBegin, first, rule.live);
  int64_t gapEnd = std::clamp(rule.diagonalEnd, gapBegin, rule.live);
  return {{first, gapEnd}, {gapBegin, rule.live}};
}

/// Classes of `count` keys: the best `kept` +1, the worst `dropped` -1; ties to the lowest index on both sides.
void classifyKeys(const int32_t *keys, int64_t count, int64_t kept, int64_t dropped, int8_t *classes) {
  int32_t least = 0, most = 0;
  Dispatch<MinMax, const int32_t *, int64_t, int32_t *, int32_t *>::call(keys, count, &least, &most);
  Bound best = kept > 0 ? boundFor(keys, count, kept, least, most) : Bound{int64_t{most} + 1, 0};
  // Blocks that are not dropped are the best count - dropped ones, but for ties.
  Bound rest = dropped < count ? boundFor(keys, count, count - dropped, least, most) : Bound{int64_t{most} + 1, 0};
  bool isExact =
      best.reached == kept && rest.reached == count - dropped && best.key <= INT32_MAX && rest.key <= INT32_MAX;
  if (isExact) {
    Dispatch<ClassesByBounds, const int32_t *, int64_t, int32_t, int32_t, int8_t *>::call(
        keys, count, static_cast<int32_t>(best.key), static_cast<int32_t>(rest.key), classes);
    return;
  }
  int64_t keptTies = kept - countAtLeast(keys, count, best.key + 1);
  int64_t droppedTies = dropped - (count - rest.reached);
  for (int64_t j = 0; j < count; ++j) {
    if (keys[j] > best.key || (kept > 0 && keys[j] == best.key && keptTies-- > 0))
      classes[j] = 1;
    else if (keys[j] < rest.key || (keys[j] == rest.key && droppedTies-- > 0))
      classes[j] = -1;
    else
      classes[j] = 0;
  }
}

} // namespace

int64_t blockCount(double amount, bool isCount, CountRule rule, int64_t n) {
  double blocks = static_cast<double>(n), count = amount;
  if (!isCount) {
    constexpr double slack = 1e-9; // of a block per block: decimal fractions such as 0.1 are not exact
    count = amount * blocks;
    if (rule == CountRule::floor)
      count = std::floor(count + slack * blocks);
    else if (rule == CountRule::ceil)
      count = std::ceil(count - slack * blocks);
    else
      count = std::floor(count + 0.5);
  }
  return static_cast<int64_t>(std::clamp(count, 0.0, blocks));
}

void classifyRow(const float *scores, const RowRule &rule, int32_t *keys, int8_t *classes) {
  Ranges ranges = candidatesOf(rule);
  int64_t candidates = ranges.size(), forced = rule.live - candidates;
  int64_t kept = std::clamp<int64_t>(rule.forcedCounts ? rule.kept - forced : rule.kept, 0, candidates);
  int64_t dropped = std::clamp<int64_t>(rule.dropped, 0, candidates - kept);
  std::memset(classes, 1, static_cast<size_t>(rule.live));
  int64_t first = ranges.end[0] - ranges.begin[0];
  for (int part = 0; part < 2; ++part)
    Dispatch<MakeKeys, const float *, int64_t, int32_t *>::call(
        scores + ranges.begin[part], ranges.end[part] - ranges.begin[part], keys + (part ? first : 0));
  if (candidates == 0)
    return;
  // Two ranges share one row of keys, so their classes are made in one piece at the place of the second.
  int8_t *packed = classes + rule.live - candidates;
  classifyKeys(keys, candidates, kept, dropped, packed);
  int64_t gap = ranges.begin[1] - ranges.end[0];
  std::memmove(classes + ranges.begin[0], packed, static_cast<size_t>(first));
  std::memset(classes + ranges.end[0], 1, static_cast<size_t>(gap));
}

} // namespace tercet::rt
