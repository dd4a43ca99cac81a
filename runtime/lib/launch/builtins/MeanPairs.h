// MeanPairs: query blocks and the means of their marginal key blocks (docs/spec.md#block_mean), a tile of 64 means at a time.
#pragma once

#include "Exp.h"
#include "GroupHead.h"
#include "TokenRows.h"

#include "tercet/Builtins.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace tercet::rt {

inline constexpr int64_t meansOfTile = 64;
inline constexpr float noScore = -std::numeric_limits<float>::infinity();

/// e^x for x <= 0, of the means of a tile, in place.
[[gnu::always_inline]] inline void exponentials(float *x) {
  for (int64_t c = 0; c < meansOfTile; c += 8)
    storeVector(x + c, expOfNegative(loadVector<Float8>(x + c)));
}

/// The sum over c of weights[c] x[c]. width: a multiple of 8.
[[gnu::always_inline]] inline float sumOfProducts(const float *weights, const float *x, int64_t width) {
  Float8 sum = {};
  int64_t c = 0;
  for (; c + 8 <= width; c += 8)
    sum += loadVector<Float8>(weights + c) * loadVector<Float8>(x + c);
  float total = sumOfLanes<float>(sum);
  for (; c < width; ++c)
    total += weights[c] * x[c];
  return total;
}

/// sum[c] += weight x[c].
[[gnu::always_inline]] inline void addProduct(float weight, const float *x, int64_t width, float *sum) {
  for (int64_t c = 0; c < width; ++c)
    sum[c] += weight * x[c];
}

/// What an argument block says of one head, and of tiles of means of its keys.
struct MeanHead {
  const MeanPairsSlots &s;
  int64_t gr, g, batch, queryHead, liveK;
  double unit;  ///< of products, in log2
  double whole; ///< log2 of the tokens of a block

  MeanHead(const MeanPairsSlots &s, int64_t gr)
      : s(s), gr(gr), g(gr / s.headsPerKV), batch(groupHead(gr, s.firstPair, s.headsKV, s.headsPerKV).batch),
        queryHead(groupHead(gr, s.firstPair, s.headsKV, s.headsPerKV).queryHead),
        liveK(liveTokens(s.kLengths, batch, s.tokensK)), unit(s.scale * std::numbers::log2e),
        whole(std::log2(static_cast<double>(s.blockK))) {}

  bool isMarginal(int64_t i, int64_t j) const {
    return s.classes[batch * s.classStrideB + queryHead * s.classStrideH + i * s.classStrideI + j] == 0;
  }
  /// log2 of the tokens of a key block that has some.
  double weight(int64_t j) const {
    int64_t tokens = tokensOfBlock(ofBatch(s.counts, batch, s.blocksK), j, s.blockK, liveK);
    return tokens == s.blockK ? whole : std::log2(static_cast<double>(tokens));
  }
  const float *query(int64_t i) const { return s.meanQ + (gr * s.blocksQ + i) * s.headDim; }
  /// [headDim][64] and [64][valueDimPadded].
  const float *keys(int64_t tile) const { return s.meanK + (g * s.meanTilesPerPair + tile) * s.headDim * meansOfTile; }
  const float *values(int64_t tile) const {
    return s.meanV + (g * s.meanTilesPerPair + tile) * meansOfTile * s.valueDimPadded;
  }
  /// Key block j's.
  float key(int64_t j, int64_t feature) const { return keys(j / meansOfTile)[feature * meansOfTile + j % meansOfTile]; }
  const float *value(int64_t j) const { return values(j / meansOfTile) + j % meansOfTile * s.valueDimPadded; }
};

/// One query block against one tile.
struct MeanTile {
  double weights[meansOfTile]; ///< log2 of the tokens of marginal blocks
  float products[meansOfTile]; ///< of the means of queries and keys; of others 0
  bool members[meansOfTile];
  bool any = false;

  [[gnu::always_inline]] void read(const MeanHead &head, int64_t i, int64_t tile) {
    int64_t first = tile * meansOfTile, end = std::min(first + meansOfTile, head.s.blocksK);
    any = false;
    for (int64_t c = 0; c < meansOfTile; ++c) {
      members[c] = first + c < end && head.isMarginal(i, first + c);
      any = any || members[c];
    }
    if (!any)
      return;
    for (int64_t c = 0; c < meansOfTile; ++c) {
      weights[c] = members[c] ? head.weight(first + c) : 0;
      products[c] = 0;
    }
    const float *q = head.query(i), *k = head.keys(tile);
    for (int64_t feature = 0; feature < head.s.headDim; ++feature)
      addProduct(q[feature], k + feature * meansOfTile, meansOfTile, products);
  }

  /// Scores in log2 units and above `shift`, rounded once, as natural exponents; -inf where there is no marginal block.
  [[gnu::always_inline]] void exponents(const MeanHead &head, double shift, float *x) const {
    for (int64_t c = 0; c < meansOfTile; ++c) {
      double score = static_cast<double>(products[c]) * head.unit + weights[c] + shift;
      x[c] = members[c] ? static_cast<float>(score * std::numbers::ln2) : noScore;
    }
  }
};

} // namespace tercet::rt
