// BuiltinTable: the builtins by definition site. Each is documented at its argument block in tercet/Builtins.h.
#pragma once

#include "tercet/rt/Builtin.h"

namespace tercet::rt {

extern const Builtin tokenOrderBuiltin, packKeysBuiltin, poolQueriesBuiltin, poolTokensBuiltin, centerKeysBuiltin,
    alikenessBuiltin, packSamplesBuiltin, selectBuiltin, selectGivenBuiltin, spanKeysBuiltin, spanKeysGivenBuiltin,
    spanBoundsBuiltin, spanClassesBuiltin, patternBuiltin, copyClassesBuiltin, buildListsBuiltin, linearSetsBuiltin,
    linearUsedBuiltin, tableRangesBuiltin, packWeightBuiltin, transposeClassesBuiltin, gradientRowsBuiltin,
    spreadPoolsBuiltin, poolWeightGradientBuiltin, sumPoolWeightsBuiltin, attendMeansBuiltin, meanRowsBuiltin,
    meanQueryGradientBuiltin, meanKeyGradientBuiltin;

/// For sizes from an argument block, whose integers may be anything: what does not fit 64 bits becomes the largest,
/// which is refused.
inline int64_t saturatingProduct(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

/// ClassMapView of any argument block that has the fields of one.
template <typename Slots> ClassMapView classMapOf(const int64_t *slots) {
  const auto &s = *reinterpret_cast<const Slots *>(slots);
  return {s.classes, s.strideB, s.strideH,   s.strideI, s.qLengths, s.kLengths, s.headsKV, s.headsPerKV,
          s.tokensQ, s.tokensK, s.firstPair, s.blockQ,  s.blockK,   s.blocksQ,  s.blocksK};
}

} // namespace tercet::rt
