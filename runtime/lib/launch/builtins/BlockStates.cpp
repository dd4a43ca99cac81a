#include "BlockStates.h"

#include "Dispatch.h"

#include <cstring>

namespace tercet::rt {
namespace {

struct ForceUnlike {
  [[gnu::always_inline]] static inline void run(const float *alike, int64_t count, float guard, uint8_t *states) {
    for (int64_t j = 0; j < count; ++j)
      states[j] = alike[j] < guard ? uint8_t{forced} : states[j];
  }
};

struct ApplyRules {
  [[gnu::always_inline]] static inline void run(const uint8_t *rules, int64_t count, uint8_t *states) {
    for (int64_t j = 0; j < count; ++j) {
      uint8_t rule = rules[j];
      uint8_t state = rule & forbiddenRule && states[j] != forced ? uint8_t{forbidden} : states[j];
      state = rule & forcedRule ? uint8_t{forced} : state;
      state = rule & partialRule ? uint8_t{partial} : state;
      states[j] = rule & emptyRule ? uint8_t{empty} : state;
    }
  }
};

struct MergeStates {
  [[gnu::always_inline]] static inline void run(const uint8_t *other, int64_t count, uint8_t *states) {
    for (int64_t j = 0; j < count; ++j) {
      uint8_t any = states[j] | other[j];
      uint8_t state = any & candidate ? candidate : empty;
      state = any & forbidden ? uint8_t{forbidden} : state;
      state = any & forced ? uint8_t{forced} : state;
      states[j] = any & partial ? uint8_t{partial} : state;
    }
  }
};

/// Forces the key blocks that share a token index with the valid rows of query block i: none once the keys have run out.
void forceDiagonal(const SelectSlots &s, const RowContext &row, int64_t i, uint8_t *states) {
  int64_t first = i * s.blockQ, end = std::min({first + s.blockQ, row.liveQ, row.liveK});
  if (first >= end)
    return;
  int64_t begin = first / s.blockK, last = (end - 1) / s.blockK;
  std::memset(states + begin, forced, static_cast<size_t>(last + 1 - begin));
}

} // namespace

RowContext::RowContext(const SelectSlots &s, int64_t gr)
    : gr(gr), head(groupHead(gr, s.firstPair, s.headsKV, s.headsPerKV)),
      liveQ(liveTokens(s.qLengths, head.batch, s.tokensQ)), liveK(liveTokens(s.kLengths, head.batch, s.tokensK)),
      liveRows(liveBlocks(s.qLengths, head.batch, s.tokensQ, s.blockQ)),
      liveCols(liveBlocks(s.kLengths, head.batch, s.tokensK, s.blockK)) {}

void findStates(const SelectSlots &s, const RowContext &row, int64_t i, uint8_t *states) {
  int64_t count = row.liveCols, place = row.gr * s.blocksQ + i;
  auto guard = static_cast<float>(s.guard);
  bool isUnlike = s.alikeQ && s.alikeQ[place] < guard;
  std::memset(states, isUnlike ? forced : candidate, static_cast<size_t>(count));
  std::memset(states, forced, static_cast<size_t>(std::clamp<int64_t>(s.sink, 0, count)));
  if (s.diagonal)
    forceDiagonal(s, row, i, states);
  if (s.alikeK)
    Dispatch<ForceUnlike, const float *, int64_t, float, uint8_t *>::call(s.alikeK + row.gr / s.headsPerKV * s.blocksK,
                                                                          count, guard, states);
  if (s.rules)
    Dispatch<ApplyRules, const uint8_t *, int64_t, uint8_t *>::call(s.rules + place * s.blocksK, count, states);
}

void mergeStates(const uint8_t *other, int64_t count, uint8_t *states) {
  Dispatch<MergeStates, const uint8_t *, int64_t, uint8_t *>::call(other, count, states);
}

} // namespace tercet::rt
