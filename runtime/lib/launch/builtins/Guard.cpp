// center_keys and alikeness: what centred and guarded scores need (docs/spec.md#pooled_scores). Contract: Builtins.h.
#include "BuiltinTable.h"
#include "Dispatch.h"
#include "Elements.h"
#include "GroupHead.h"
#include "TokenRows.h"

#include "tercet/Builtins.h"

#include <cmath>

namespace tercet::rt {
namespace {

constexpr int64_t meanTile = 64;

/// Where the mean of block j has its feature c: column j % 64 of tile j / 64.
int64_t placeInTiles(int64_t j, int64_t c, int64_t dim) { return (j / meanTile * dim + c) * meanTile + j % meanTile; }

void centerKeys(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const CenterKeysSlots *>(call.slots);
  int64_t g = call.item0, batch = groupPair(g, s.firstPair, s.headsKV).batch;
  int64_t live = liveTokens(s.kLengths, batch, s.tokens);
  const int32_t *counts = ofBatch(s.counts, batch, s.tokens / s.blockK);
  int64_t blocks = (live + s.blockK - 1) / s.blockK, columns = s.meanTilesPerPair * meanTile, valid = 0;
  for (int64_t j = 0; j < blocks; ++j)
    valid += tokensOfBlock(counts, j, s.blockK, live);
  const float *means = s.meanK + g * columns * s.headDim;
  float *centered = s.centered + g * columns * s.headDim;
  for (int64_t c = 0; c < s.headDim; ++c) {
    double sum = 0;
    for (int64_t j = 0; j < blocks; ++j) {
      auto count = static_cast<double>(tokensOfBlock(counts, j, s.blockK, live));
      sum += static_cast<double>(means[placeInTiles(j, c, s.headDim)]) * count;
    }
    auto center = static_cast<float>(valid > 0 ? sum / static_cast<double>(valid) : 0.0);
    s.center[g * s.headDim + c] = center;
    for (int64_t j = 0; j < columns; ++j) {
      int64_t place = placeInTiles(j, c, s.headDim);
      centered[place] = j < blocks ? means[place] - center : 0.0f;
    }
  }
}

typedef double Double8 __attribute__((vector_size(64)));

/// Eight features of a token from c on, as many as there are, less the center.
template <typename Element>
[[gnu::always_inline]] inline Double8 features(const typename Element::Type *token, const float *center, int64_t c,
                                               int64_t dim) {
  if (c + 8 <= dim) {
    Float8 some = Element::load8(token + c);
    return __builtin_convertvector(center ? some - loadVector<Float8>(center + c) : some, Double8);
  }
  Double8 some = {};
  for (int64_t lane = 0; c + lane < dim; ++lane)
    some[lane] = static_cast<double>(Element::toFloat(token[c + lane]) - (center ? center[c + lane] : 0.0f));
  return some;
}

/// sums [dim rounded up to 8] += every token over its length; a token of zeros adds nothing.
template <typename Element> struct AddDirections {
  [[gnu::always_inline]] static inline void run(TokenRows<typename Element::Type> tokens, int64_t count, int64_t dim,
                                                const float *center, double *sums) {
    for (int64_t t = 0; t < count; ++t) {
      const auto *token = tokens[t];
      Double8 squares = {};
      for (int64_t c = 0; c < dim; c += 8) {
        Double8 some = features<Element>(token, center, c, dim);
        squares += some * some;
      }
      double square = sumOfLanes<double>(squares);
      double factor = square == 0 ? 0 : 1 / std::sqrt(square);
      for (int64_t c = 0; c < dim; c += 8) {
        Double8 sum = loadVector<Double8>(sums + c) + features<Element>(token, center, c, dim) * factor;
        std::memcpy(sums + c, &sum, sizeof(sum));
      }
    }
  }
};

int64_t wholeVectors(int64_t dim) { return (dim + 7) / 8 * 8; }

int64_t sumBytes(const int64_t *slots) {
  return wholeVectors(reinterpret_cast<const AlikenessSlots *>(slots)->headDim) * static_cast<int64_t>(sizeof(double));
}

void findAlikeness(const BuiltinCall &call) {
  const auto &s = *reinterpret_cast<const AlikenessSlots *>(call.slots);
  int64_t head = s.firstHead + call.item1, batch = head / s.heads;
  int64_t count = tokensOfBlock(ofBatch(s.counts, batch, s.blocks), call.item0, s.block,
                                liveTokens(s.lengths, batch, s.tokenCount));
  auto *sums = reinterpret_cast<double *>(call.scratch);
  std::fill(sums, sums + wholeVectors(s.headDim), 0.0);
  const float *center = s.center ? s.center + call.item1 * s.headDim : nullptr;
  withElement(static_cast<DType>(s.dtype), [&](auto element) {
    using Element = decltype(element);
    using Rows = TokenRows<typename Element::Type>;
    const auto *tokens =
        static_cast<const typename Element::Type *>(s.tokens) + batch * s.strideB + head % s.heads * s.strideH;
    Dispatch<AddDirections<Element>, Rows, int64_t, int64_t, const float *, double *>::call(
        Rows{tokens, s.strideN, ofBatch(s.order, batch, s.tokenCount)}.from(call.item0 * s.block), count, s.headDim,
        center, sums);
  });
  double square = 0;
  for (int64_t c = 0; c < s.headDim; ++c)
    square += sums[c] * sums[c];
  auto tokens = static_cast<double>(count);
  s.alike[call.item1 * s.blocks + call.item0] = count > 0 ? static_cast<float>(square / (tokens * tokens)) : 0.0f;
}

} // namespace

const Builtin centerKeysBuiltin = {"center_keys", sizeof(CenterKeysSlots) / 8, 0, centerKeys, nullptr, nullptr};
const Builtin alikenessBuiltin = {"alikeness", sizeof(AlikenessSlots) / 8, 0, findAlikeness, sumBytes, nullptr};

} // namespace tercet::rt
