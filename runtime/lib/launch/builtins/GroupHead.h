// GroupHead: which batch and heads an item of a group stands for, and how many tokens and blocks are live there.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tercet::rt {

/// The (batch, KV head) pair of a group's member.
struct GroupPair {
  int64_t batch, headKV;
};
inline GroupPair groupPair(int64_t g, int64_t firstPair, int64_t headsKV) {
  return {(firstPair + g) / headsKV, (firstPair + g) % headsKV};
}

/// gr = g * headsPerKV + r: query head r of pair g.
struct GroupHead {
  int64_t batch, headKV, queryHead;
};
inline GroupHead groupHead(int64_t gr, int64_t firstPair, int64_t headsKV, int64_t headsPerKV) {
  GroupPair pair = groupPair(gr / headsPerKV, firstPair, headsKV);
  return {pair.batch, pair.headKV, pair.headKV * headsPerKV + gr % headsPerKV};
}

/// Valid tokens of a batch entry: the per-batch length where there is one.
inline int64_t liveTokens(const int32_t *lengths, int64_t batch, int64_t tokens) {
  return lengths ? std::clamp<int64_t>(lengths[batch], 0, tokens) : tokens;
}

/// Blocks with at least one valid token.
inline int64_t liveBlocks(const int32_t *lengths, int64_t batch, int64_t tokens, int64_t block) {
  return (liveTokens(lengths, batch, tokens) + block - 1) / block;
}

} // namespace tercet::rt
