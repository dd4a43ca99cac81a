// Shares: P of blocks, from their keys (docs/spec.md#select).
#pragma once

#include "Ranking.h"

namespace tercet::rt {

/// What a value weighs: itself where values are shares; else exp(value - offset), offset being the largest value of its
/// row. P is the weight over `unit`. NaN weighs nothing; if the largest value is +inf, all that have it weigh 1.
struct Weighing {
  bool isShare = true;
  float offset = 0;
  double unit = 1; ///< the sum of a row's weights, or 1 where that is 0

  /// For logits with this largest value.
  static Weighing ofLogits(float largest);
  double weight(float value) const;
};

/// Sum of the weights of keys from `bound` > noKey on, in f64 and in one order at every CPU level.
double weightFrom(const int32_t *keys, int64_t count, int32_t bound, const Weighing &weighing);
/// How many keys weigh at least `least`.
int64_t countOfWeight(const int32_t *keys, int64_t count, double least, const Weighing &weighing);

/// log P of a row of logits in place: what rows of one head are compared by. -inf where P is 0; NaN stays NaN.
void makeLogShares(float *values, int64_t count, const Weighing &weighing);
/// sums[j] += P of block j of a row, 0 for the empty ones.
void addShares(const float *values, const uint8_t *states, int64_t count, const Weighing &weighing, float *sums);

} // namespace tercet::rt
