// pool_weight_gradient, sum_pool_weights: gradients of the weights of pools. Contracts: Builtins.h.
#include "BuiltinTable.h"
#include "Elements.h"
#include "GroupHead.h"
#include "TokenRows.h"

#include "tercet/Builtins.h"

#include <algorithm>

namespace tercet::rt {
namespace {

/// The sum over a pair's pools of what the token at `at` of each gets.
template <typename Element>
float sumOfPools(const PoolWeightGradientSlots &s, int64_t group, int64_t at, Element /*element*/) {
  int64_t batch = (s.firstPair + group) / s.headsKV, head = (s.firstPair + group) % s.headsKV;
  int64_t live = liveTokens(s.lengths, batch, s.tokenCount);
  const auto *tokens = static_cast<const typename Element::Type *>(s.tokens) + batch * s.strideB + head * s.strideH;
  TokenRows<typename Element::Type> rows{tokens, s.strideN, s.order};
  float total = 0;
  for (int64_t pool = 0; pool < s.pools; ++pool) {
    int64_t first = pool * s.stride;
    if (at >= (s.counts ? s.counts[pool] : std::clamp<int64_t>(live - first, 0, s.length)))
      continue;
    const auto *token = rows.from(first)[at];
    const float *gradient = s.gradients + (group * s.poolRows + pool) * s.width;
    float sum = 0;
    for (int64_t c = 0; c < s.dim; ++c)
      sum += gradient[c] * Element::toFloat(token[c]);
    total += sum;
  }
  return total;
}

void makeShare(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const PoolWeightGradientSlots *>(call.slots);
  if (!s.wanted)
    return;
  withElement(static_cast<DType>(s.dtype), [&](auto element) {
    s.shares[(s.firstPair + call.item1) * s.length + call.item0] = sumOfPools(s, call.item1, call.item0, element);
  });
}

void sumShares(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const SumPoolWeightsSlots *>(call.slots);
  if (!s.out)
    return;
  int64_t entry = call.item0, head = call.item1;
  int64_t end = entry == s.entries - 1 ? s.length : std::min(entry + 1, s.length);
  float &out = s.out[head * s.strideH + entry * s.strideT];
  float total = s.adds ? out : 0;
  for (int64_t pair = 0; pair < s.pairs; ++pair)
    if (std::min(pair % s.headsKV, s.heads - 1) == head)
      for (int64_t at = entry; at < end; ++at)
        total += s.shares[pair * s.length + at];
  out = total;
}

} // namespace

const Builtin poolWeightGradientBuiltin = {
    "pool_weight_gradient", sizeof(PoolWeightGradientSlots) / 8, 0, makeShare, nullptr, nullptr};
const Builtin sumPoolWeightsBuiltin = {
    "sum_pool_weights", sizeof(SumPoolWeightsSlots) / 8, 0, sumShares, nullptr, nullptr};

} // namespace tercet::rt
