// Keys, bounds by rank, and classes by bounds.
#include "Ranking.h"

#include "Dispatch.h"
#include "KeySearch.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace tercet::rt {
namespace {

constexpr int64_t allTies = std::numeric_limits<int64_t>::max();

struct MakeKeys {
  [[gnu::always_inline]] static inline void run(const float *values, const uint8_t *states, uint8_t wanted,
                                                int64_t count, int32_t *keys) {
    for (int64_t j = 0; j < count; ++j) {
      int32_t bits = std::bit_cast<int32_t>(values[j]);
      int32_t magnitude = bits & 0x7fffffff;
      int32_t key = bits < 0 ? -magnitude : magnitude;
      key = magnitude > 0x7f800000 ? nanKey : key;
      keys[j] = states[j] & wanted ? key : noKey;
    }
  }
};

struct FindRange {
  [[gnu::always_inline]] static inline void run(const int32_t *keys, int64_t count, KeyRange *range) {
    int32_t low = INT32_MAX, high = noKey;
    for (int64_t j = 0; j < count; ++j) {
      low = std::min(low, keys[j] == noKey ? INT32_MAX : keys[j]);
      high = std::max(high, keys[j]);
    }
    *range = {high == noKey ? noKey : low, high};
  }
};

struct CountFrom {
  [[gnu::always_inline]] static inline void run(const int32_t *keys, int64_t count, int32_t bound, int64_t *result) {
    int64_t total = 0;
    constexpr int64_t run = 1 << 20; // 32-bit sums have twice the lanes
    for (int64_t first = 0; first < count; first += run) {
      int32_t some = 0;
      for (int64_t j = first; j < std::min(first + run, count); ++j)
        some += keys[j] >= bound;
      total += some;
    }
    *result = total;
  }
};

/// Candidates: +1 from `critical` on, -1 below `negligible`, else 0. Forced and partial blocks +1, the others -1.
struct ClassesByBounds {
  [[gnu::always_inline]] static inline void run(const int32_t *keys, const uint8_t *states, int64_t count,
                                                SpanBounds bounds, int8_t *classes) {
    for (int64_t j = 0; j < count; ++j) {
      int ranked = (keys[j] >= bounds.critical) - (keys[j] < bounds.negligible);
      int fixed = states[j] & (forced | partial) ? 1 : -1;
      classes[j] = static_cast<int8_t>(states[j] & candidate ? ranked : fixed);
    }
  }
};

bool hasTies(const Cut &cut) { return cut.keptTies != allTies || cut.droppedTies != 0; }

} // namespace

void makeKeys(const float *values, const uint8_t *states, uint8_t wanted, int64_t count, int32_t *keys) {
  Dispatch<MakeKeys, const float *, const uint8_t *, uint8_t, int64_t, int32_t *>::call(values, states, wanted, count,
                                                                                        keys);
}

float valueOf(int32_t key) {
  auto magnitude = static_cast<uint32_t>(key < 0 ? -int64_t{key} : int64_t{key});
  return std::bit_cast<float>(magnitude | (key < 0 ? 0x80000000u : 0));
}

KeyRange rangeOf(const int32_t *keys, int64_t count) {
  KeyRange range = {noKey, noKey};
  Dispatch<FindRange, const int32_t *, int64_t, KeyRange *>::call(keys, count, &range);
  return range;
}

int64_t countFrom(const int32_t *keys, int64_t count, int32_t bound) {
  int64_t result = 0;
  Dispatch<CountFrom, const int32_t *, int64_t, int32_t, int64_t *>::call(keys, count, bound, &result);
  return result;
}

RankBound boundOfRank(const int32_t *keys, int64_t count, int64_t wanted) {
  KeyRange range = rangeOf(keys, count);
  auto measure = [](const int32_t *some, int64_t number, int32_t bound) {
    return static_cast<double>(countFrom(some, number, bound));
  };
  auto total = static_cast<double>(countFrom(keys, count, noKey + 1));
  MeasuredBound found = searchKey(keys, count, range, static_cast<double>(wanted), total, /*stopEarly=*/true, measure);
  return {found.key, static_cast<int64_t>(found.reached)};
}

Cut cutOf(const Quota &quota, int64_t candidates, const int32_t *keys, int64_t count) {
  Cut cut = {{INT32_MAX, noKey}, allTies, 0};
  if (quota.kept > 0) {
    RankBound best = boundOfRank(keys, count, quota.kept);
    cut.bounds.critical = best.key;
    if (best.reached != quota.kept)
      cut.keptTies = quota.kept - countFrom(keys, count, best.key + 1);
  }
  if (int64_t others = candidates - quota.dropped; quota.dropped > 0 && others == 0) {
    cut.bounds.negligible = INT32_MAX;
  } else if (quota.dropped > 0) {
    RankBound rest = boundOfRank(keys, count, others);
    cut.bounds.negligible = rest.key;
    cut.droppedTies = rest.reached - others;
  }
  return cut;
}

Cut cutBehind(const Cut &cut, const int32_t *keys, int64_t count) {
  if (!hasTies(cut))
    return cut;
  auto equal = [&](int32_t key) { return std::count(keys, keys + count, key); };
  Cut rest = cut;
  int64_t keptHere = cut.keptTies == allTies ? 0 : std::min<int64_t>(cut.keptTies, equal(cut.bounds.critical));
  if (cut.keptTies != allTies)
    rest.keptTies = cut.keptTies - keptHere;
  int64_t left = equal(cut.bounds.negligible) - (cut.bounds.critical == cut.bounds.negligible ? keptHere : 0);
  rest.droppedTies = cut.droppedTies - std::min(cut.droppedTies, left);
  return rest;
}

void writeClasses(const int32_t *keys, const uint8_t *states, int64_t count, Cut cut, int8_t *classes) {
  Dispatch<ClassesByBounds, const int32_t *, const uint8_t *, int64_t, SpanBounds, int8_t *>::call(keys, states, count,
                                                                                                   cut.bounds, classes);
  if (!hasTies(cut))
    return;
  for (int64_t j = 0; j < count; ++j) {
    if (keys[j] == noKey)
      continue;
    if (keys[j] == cut.bounds.critical && cut.keptTies-- <= 0)
      classes[j] = static_cast<int8_t>(-(keys[j] < cut.bounds.negligible));
    if (classes[j] != 1 && keys[j] == cut.bounds.negligible && cut.droppedTies-- > 0)
      classes[j] = -1;
  }
}

} // namespace tercet::rt
