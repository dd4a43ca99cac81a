// pool_tokens: means and weighted sums of runs of tokens, in f32 in the order of tokens, rounded to their dtype. Contract:
// Builtins.h.
#include "BuiltinTable.h"
#include "Dispatch.h"
#include "GroupHead.h"
#include "RowSums.h"

#include "tercet/Builtins.h"

#include <algorithm>

namespace tercet::rt {
namespace {

/// The weights of the tokens of a pool; a null pointer for a mean.
struct PoolWeights {
  const float *first = nullptr;
  int64_t entries = 0, stride = 0;
};

template <typename Element> struct SumOfPool {
  [[gnu::always_inline]] static inline void run(TokenRows<typename Element::Type> tokens, int64_t rows, int64_t dim,
                                                PoolWeights weights, float *sums) {
    if (!weights.first)
      return meanOfRows<Element>(tokens, rows, dim, sums);
    std::fill(sums, sums + dim, 0.0f);
    for (int64_t t = 0; t < rows; ++t) {
      float weight = weights.first[std::min(t, weights.entries - 1) * weights.stride];
      for (int64_t c = 0; c < dim; ++c)
        sums[c] += weight * Element::toFloat(tokens[t][c]);
    }
  }
};

void round(const float *sums, int64_t dim, float *out, F32Element) { std::copy(sums, sums + dim, out); }

template <typename Element> void round(const float *sums, int64_t dim, uint16_t *out, Element) {
  constexpr bool isHalf = std::is_same_v<Element, F16Element>;
  for (int64_t c = 0; c < dim; ++c)
    out[c] = isHalf ? floatToHalf(sums[c]) : floatToBfloat16(sums[c]);
}

int64_t sumBytes(const int64_t *slots) {
  return reinterpret_cast<const PoolTokensSlots *>(slots)->dim * static_cast<int64_t>(sizeof(float));
}

void run(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const PoolTokensSlots *>(call.slots);
  int64_t head = s.firstHead + call.item1, batch = head / s.heads, first = call.item0 * s.stride;
  int64_t live = liveTokens(s.lengths, batch, s.tokenCount);
  int64_t rows = s.counts ? s.counts[batch * s.pools + call.item0] : std::clamp<int64_t>(live - first, 0, s.length);
  PoolWeights weights;
  if (s.weights)
    weights = {s.weights + std::min(head % s.heads, s.weightHeads - 1) * s.weightStrideH, s.weightEntries,
               s.weightStrideT};
  auto *sums = reinterpret_cast<float *>(call.scratch);
  withElement(static_cast<DType>(s.dtype), [&](auto element) {
    using Element = decltype(element);
    using Rows = TokenRows<typename Element::Type>;
    const auto *tokens =
        static_cast<const typename Element::Type *>(s.tokens) + batch * s.strideB + head % s.heads * s.strideH;
    Dispatch<SumOfPool<Element>, Rows, int64_t, int64_t, PoolWeights, float *>::call(
        Rows{tokens, s.strideN, ofBatch(s.order, batch, s.pools * s.stride)}.from(first), rows, s.dim, weights, sums);
    round(sums, s.dim, static_cast<typename Element::Type *>(s.out) + (call.item1 * s.pools + call.item0) * s.dim,
          element);
  });
}

} // namespace

const Builtin poolTokensBuiltin = {"pool_tokens", sizeof(PoolTokensSlots) / 8, 0, run, sumBytes, nullptr};

} // namespace tercet::rt
