// spread_pools: gradients of pools to their tokens. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "GroupHead.h"

#include "tercet/Builtins.h"

#include <algorithm>

namespace tercet::rt {
namespace {

constexpr int64_t chunk = 64;

/// Adds to `row` what a token gets of the pools that it is in, in their order.
void addPools(const SpreadPoolsSlots &s, int64_t item, int64_t token, int64_t live, float *row) {
  int64_t firstPool = std::max<int64_t>(0, (token - s.length + s.stride) / s.stride);
  int64_t head = (s.firstHead + item) % s.heads;
  const float *weights = s.weights ? s.weights + std::min(head, s.weightHeads - 1) * s.weightStrideH : nullptr;
  for (int64_t pool = firstPool; pool <= std::min(token / s.stride, s.poolCount - 1); ++pool) {
    int64_t at = token - pool * s.stride;
    int64_t count = s.counts ? s.counts[pool] : std::min(live - pool * s.stride, s.length);
    if (at >= s.length)
      continue;
    float weight =
        weights ? weights[std::min(at, s.weightEntries - 1) * s.weightStrideT] : 1 / static_cast<float>(count);
    const float *gradient = s.pools + (item * s.poolRows + pool) * s.width;
    for (int64_t c = 0; c < s.width; ++c)
      row[c] += weight * gradient[c];
  }
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const SpreadPoolsSlots *>(call.slots);
  int64_t live = liveTokens(s.lengths, (s.firstHead + call.item1) / s.heads, s.tokenCount);
  int64_t first = call.item0 * chunk, end = std::min(first + chunk, s.tokenCount);
  for (int64_t token = first; token < end; ++token) {
    float *row = s.tokens + (call.item1 * s.tokenRows + token) * s.width;
    if (s.adds == 0)
      std::fill(row, row + s.width, 0.0f);
    if (token < live)
      addPools(s, call.item1, token, live, row);
  }
}

} // namespace

const Builtin spreadPoolsBuiltin = {"spread_pools", sizeof(SpreadPoolsSlots) / 8, 0, run, nullptr, nullptr};

} // namespace tercet::rt
