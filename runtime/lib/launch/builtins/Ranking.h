// Ranking: scores as integers of the same order, and the cut through a span of them.
//
// A span is what one rule ranks over: a row, or all rows of some heads, as one array of keys in the order that decides
// ties. Blocks that are not in question have a key below all others, so no list of candidates is ever made.
#pragma once

#include "tercet/Builtins.h"

namespace tercet::rt {

/// What a block is before its score is looked at, as bits, so that a set of states is a mask.
enum BlockState : uint8_t { candidate = 1, forced = 2, partial = 4, forbidden = 8, empty = 16 };
inline constexpr uint8_t nonEmpty = candidate | forced | partial | forbidden;

inline constexpr int32_t noKey = INT32_MIN;      ///< of blocks that are not in question
inline constexpr int32_t nanKey = INT32_MIN + 1; ///< NaN ranks below -infinity

/// Keys of the blocks whose state is in `wanted`: integers in the order of the floats, -0 equal to +0.
void makeKeys(const float *values, const uint8_t *states, uint8_t wanted, int64_t count, int32_t *keys);
/// The value of a key; NaN for nanKey.
float valueOf(int32_t key);

/// The least and the largest key of those in question; noKey where there are none.
struct KeyRange {
  int32_t least, largest;
};
KeyRange rangeOf(const int32_t *keys, int64_t count);
/// How many keys there are from `bound` on. bound > noKey.
int64_t countFrom(const int32_t *keys, int64_t count, int32_t bound);

/// The largest bound with at least `wanted` keys from it on, and how many those are. 1 <= wanted <= keys in question.
struct RankBound {
  int32_t key;
  int64_t reached;
};
RankBound boundOfRank(const int32_t *keys, int64_t count, int64_t wanted);

/// How many candidates of a span become critical, the best, and negligible, the worst.
struct Quota {
  int64_t kept, dropped;
};
/// The bounds that a quota comes to. Of the keys that equal a bound the first keptTies, and of the others the first
/// droppedTies, are critical and negligible too.
struct Cut {
  SpanBounds bounds;
  int64_t keptTies, droppedTies;
};
Cut cutOf(const Quota &quota, int64_t candidates, const int32_t *keys, int64_t count);

/// The cut as it is for what lies behind `count` keys.
Cut cutBehind(const Cut &cut, const int32_t *keys, int64_t count);

/// Writes the classes of `count` blocks.
void writeClasses(const int32_t *keys, const uint8_t *states, int64_t count, Cut cut, int8_t *classes);

} // namespace tercet::rt
