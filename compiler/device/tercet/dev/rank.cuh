// Ranks of blocks: a score as an integer of the same order, below that what a block is that has no rank; and the search
// for the key at which a row is cut, bit by bit, by counting or weighing the keys from a bound up.
#pragma once

#include "tercet/dev/features.cuh"
#include "tercet/dev/thread.cuh"

namespace tercet::dev {

/// Keys of blocks that are not ranked, and the least key of one that is. A partial block is forced as well.
enum : u32 { empty_key = 0, forbidden_key = 1, partial_key = 2, forced_key = 3, first_rank = 4 };

/// A score as an integer of the same order: -0 equals 0, NaN lies below -infinity.
TERCET_DEVICE u32 key_of(float score) {
  const int bits = __float_as_int(score), magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return first_rank;
  return static_cast<u32>(bits < 0 ? -magnitude : magnitude) ^ 0x80000000u;
}

/// The score of a rank.
TERCET_DEVICE float score_of(u32 key) {
  const int order = static_cast<int>(key ^ 0x80000000u);
  return __uint_as_float(order < 0 ? static_cast<u32>(-order) | 0x80000000u : static_cast<u32>(order));
}

/// What scores weigh in their row. Logits weigh e^(score - top), `total` together, and top itself 1 where both are
/// infinite; otherwise scores are shares already, and weigh what they are. A NaN weighs nothing.
template <bool LOGITS> struct Weights {
  float top, total;
  TERCET_DEVICE float of(float score) const {
    if (!LOGITS)
      return score > 0 ? score : 0.0f;
    return score == top && top > -infinity() ? 1.0f : score > -infinity() ? exponential(score - top) : 0.0f;
  }
  /// What all shares of 1 weigh.
  TERCET_DEVICE float unit() const { return LOGITS ? total : 1.0f; }
  TERCET_DEVICE float share(float score) const { return total > 0 ? of(score) / unit() : 0.0f; }
};

/// Measures of keys: one each, or their weights.
struct ByCount {
  enum : bool { counts = true };
  TERCET_DEVICE int of(u32) const { return 1; }
};
template <bool LOGITS> struct ByWeight {
  enum : bool { counts = false }; // keys of no weight would not show
  Weights<LOGITS> weights;
  TERCET_DEVICE float of(u32 key) const { return weights.of(score_of(key)); }
};

/// The measure of the keys from `bound` up, the same in all lanes. Every lane adds in ascending order, and sums grow with the
/// set: rounding keeps order.
template <class Measure> TERCET_DEVICE auto sum_from(const u32 *keys, int count, u32 bound, Measure measure) {
  auto total = measure.of(0);
  total = 0;
#pragma unroll 1
  for (int j = static_cast<int>(lane()); j < count; j += 32)
    if (const u32 key = keys[j]; key >= bound)
      total += measure.of(key);
  return warp_add(total);
}
TERCET_DEVICE int count_from(const u32 *keys, int count, u32 bound) { return sum_from(keys, count, bound, ByCount()); }

/// The largest key with at least `wanted` > 0 from it up, or another bound with the same keys from it up; 0 where all keys
/// together are less.
template <class Measure, class Sum>
TERCET_DEVICE u32 find_key(const u32 *keys, int count, Sum wanted, Measure measure) {
  u32 key = 0;
#pragma unroll 1
  for (u32 bit = 0x80000000u; bit != 0; bit >>= 1) {
    const Sum reached = sum_from(keys, count, key | bit, measure);
    if (reached >= wanted)
      key |= bit;
    if (Measure::counts && reached == wanted)
      break;
  }
  return key;
}

/// A key where ranks are cut, and how many of the blocks that have it stand on the near side, the first ones.
struct Cut {
  u32 key;
  int ties;
};
/// Above all keys.
enum : u32 { no_key = 0xffffffffu };

/// The cut that has the `wanted` best ranked blocks above it.
TERCET_DEVICE Cut cut_above(const u32 *keys, int count, int wanted) {
  if (wanted == 0)
    return {no_key, 0};
  const u32 key = find_key(keys, count, wanted, ByCount());
  return {key, wanted - count_from(keys, count, key + 1)};
}

/// The cut that has the `wanted` worst of `ranked` blocks below it, of those that `best` leaves; blocks above that count as
/// ties here too where the keys of both cuts are equal.
TERCET_DEVICE Cut cut_below(const u32 *keys, int count, int ranked, int wanted, Cut best) {
  if (wanted == 0 || wanted == ranked)
    return {wanted == 0 ? 0 : no_key, 0};
  const u32 key = find_key(keys, count, ranked - wanted, ByCount());
  const int ties = wanted - (ranked - count_from(keys, count, key));
  return {key, ties + (key == best.key ? best.ties : 0)};
}

} // namespace tercet::dev
