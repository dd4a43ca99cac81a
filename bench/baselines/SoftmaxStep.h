// The baseline's softmax over a vector type with load, store, max, add, fused multiply-add, exp2 and reductions.
// Included by one file per instruction set, in a namespace of the vector type's own, so no instance is shared between
// them.
#pragma once

#include "tercet/LoopHints.h"

#include <cmath>
#include <cstdint>

namespace tercet::bench {

template <typename Vector>
void softmaxStep(float *scores, int64_t rows, int64_t keys, int64_t stride, float *m, float *l, float *o,
                 int64_t headDim, bool first) {
  constexpr int64_t lanes = Vector::lanes;
  constexpr int chains = 4; // one chain would wait for the latency of a maximum or an addition at every vector
  int64_t padded = (keys + chains * lanes - 1) / (chains * lanes) * (chains * lanes);
  for (int64_t row = 0; row < rows; ++row) {
    float *s = scores + row * stride;
    for (int64_t j = keys; j < padded; ++j)
      s[j] = -INFINITY;
    Vector top[chains], sum[chains];
    TERCET_UNROLL(4)
    for (int chain = 0; chain < chains; ++chain)
      top[chain] = Vector::load(s + chain * lanes);
    for (int64_t j = chains * lanes; j < padded; j += chains * lanes) {
      TERCET_UNROLL(4)
      for (int chain = 0; chain < chains; ++chain)
        top[chain] = max(top[chain], Vector::load(s + j + chain * lanes));
    }
    float highest = max(max(top[0], top[1]), max(top[2], top[3])).largest();
    if (!first && m[row] > highest)
      highest = m[row];
    float keep = first ? 0.0f : std::exp2(m[row] - highest);
    m[row] = highest;

    Vector bound = Vector::all(highest);
    TERCET_UNROLL(4)
    for (int chain = 0; chain < chains; ++chain)
      sum[chain] = Vector::all(0);
    for (int64_t j = 0; j < padded; j += chains * lanes) {
      TERCET_UNROLL(4)
      for (int chain = 0; chain < chains; ++chain) {
        Vector p = exp2(Vector::load(s + j + chain * lanes) - bound);
        p.store(s + j + chain * lanes);
        sum[chain] = sum[chain] + p;
      }
    }
    float total = ((sum[0] + sum[1]) + (sum[2] + sum[3])).total();
    l[row] = first ? total : l[row] * keep + total;
    if (!first && keep != 1.0f) {
      Vector factor = Vector::all(keep);
      for (int64_t c = 0; c < headDim; c += lanes)
        (Vector::load(o + row * headDim + c) * factor).store(o + row * headDim + c);
    }
  }
}

} // namespace tercet::bench
