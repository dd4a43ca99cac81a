// Gradients of query blocks and means of their marginal key blocks. With L the least LSE of a block's rows and w_t = exp(L - LSE_t), what
// these do to the scores of a block adds up to one row: dO = sum w_t dO_t, D = sum w_t D_t, P = n_j exp(score - L) <= 1. Contract: Builtins.h.
#include "BuiltinTable.h"
#include "Dispatch.h"
#include "MeanPairs.h"

namespace tercet::rt {
namespace {

struct SumOfRows {
  [[gnu::always_inline]] static inline void run(const MeanRowsSlots *slots, int64_t i, int64_t gr) {
    const MeanRowsSlots &s = *slots;
    int64_t first = i * s.blockQ, end = std::min(first + s.blockQ, s.rows);
    const float *shifts = s.shifts + gr * s.numbers, *rests = s.rests + gr * s.numbers, *sums = s.sums + gr * s.numbers;
    auto shiftOf = [&](int64_t t) { return static_cast<double>(shifts[t]) + static_cast<double>(rests[t]); };
    double most = -std::numeric_limits<double>::infinity(), total = 0;
    for (int64_t t = first; t < end; ++t)
      most = shifts[t] == noScore ? most : std::max(most, shiftOf(t));
    float *sum = s.gradients + (gr * s.blocksQ + i) * s.valueDim;
    std::fill(sum, sum + s.valueDim, 0.0f);
    const float *kept = s.kept + 2 * (gr * s.blocksQ + i);
    for (int64_t t = first; t < end; ++t) {
      float &share = s.shares[gr * s.numbers + t];
      share = 0;
      if (shifts[t] == noScore)
        continue;
      share = static_cast<float>(static_cast<double>(kept[1]) * std::exp2(static_cast<double>(kept[0]) + shiftOf(t)));
      auto weight = static_cast<float>(std::exp2(shiftOf(t) - most));
      total += static_cast<double>(weight) * static_cast<double>(sums[t]);
      addProduct(weight, s.rowGradients + (gr * s.rows + t) * s.valueDim, s.valueDim, sum);
    }
    double *state = s.state + 2 * (gr * s.blocksQ + i);
    state[0] = most;
    state[1] = total;
  }
};

struct OfQueries {
  [[gnu::always_inline]] static inline void run(const MeanGradientSlots *slots, int64_t i, int64_t gr) {
    MeanHead head(slots->pairs, gr);
    const double *state = slots->state + 2 * (gr * head.s.blocksQ + i);
    const float *gradient = slots->gradients + (gr * head.s.blocksQ + i) * slots->valueDim;
    float *dQ = slots->dQ + (gr * slots->rowsQ + i) * slots->widthK;
    std::fill(dQ, dQ + slots->widthK, 0.0f);
    if (std::isinf(state[0])) // no row of the block sees a key
      return;
    for (int64_t tile = 0; tile * meansOfTile < head.s.blocksK; ++tile) {
      MeanTile means;
      means.read(head, i, tile);
      if (!means.any)
        continue;
      float p[meansOfTile];
      means.exponents(head, state[0], p);
      exponentials(p);
      for (int64_t c = 0; c < meansOfTile; ++c) {
        float dP = sumOfProducts(head.values(tile) + c * head.s.valueDimPadded, gradient, slots->valueDim);
        p[c] = means.members[c] ? p[c] * static_cast<float>((static_cast<double>(dP) - state[1]) * head.s.scale) : 0;
      }
      for (int64_t feature = 0; feature < head.s.headDim; ++feature)
        dQ[feature] += sumOfProducts(p, head.keys(tile) + feature * meansOfTile, meansOfTile);
    }
  }
};

struct OfKeys {
  [[gnu::always_inline]] static inline void run(const MeanGradientSlots *slots, int64_t j, int64_t g, float *key) {
    const MeanPairsSlots &s = slots->pairs;
    float *dK = slots->dK + (g * slots->rowsK + j) * slots->widthK,
          *dV = slots->dV + (g * slots->rowsK + j) * slots->widthV;
    std::fill(dK, dK + slots->widthK, 0.0f);
    std::fill(dV, dV + slots->widthV, 0.0f);
    for (int64_t gr = g * s.headsPerKV; gr < (g + 1) * s.headsPerKV; ++gr) {
      MeanHead head(s, gr);
      for (int64_t feature = 0; feature < s.headDim; ++feature)
        key[feature] = head.key(j, feature);
      for (int64_t i = 0; i < s.blocksQ; ++i) {
        const double *state = slots->state + 2 * (gr * s.blocksQ + i);
        if (!head.isMarginal(i, j) || std::isinf(state[0]))
          continue;
        double product = static_cast<double>(sumOfProducts(head.query(i), key, s.headDim));
        const float *gradient = slots->gradients + (gr * s.blocksQ + i) * slots->valueDim;
        double p = std::exp2(std::min(product * head.unit + head.weight(j) + state[0], 0.0));
        double dP = static_cast<double>(sumOfProducts(head.value(j), gradient, slots->valueDim));
        addProduct(static_cast<float>(p * (dP - state[1]) * s.scale), head.query(i), s.headDim, dK);
        addProduct(static_cast<float>(p), gradient, slots->valueDim, dV);
      }
    }
  }
};

void runRows(const BuiltinCall &call) {
  Dispatch<SumOfRows, const MeanRowsSlots *, int64_t, int64_t>::call(
      reinterpret_cast<const MeanRowsSlots *>(call.slots), call.item0, call.item1);
}

void runQueries(const BuiltinCall &call) {
  Dispatch<OfQueries, const MeanGradientSlots *, int64_t, int64_t>::call(
      reinterpret_cast<const MeanGradientSlots *>(call.slots), call.item0, call.item1);
}

int64_t keyBytes(const int64_t *slots) {
  return saturatingProduct(reinterpret_cast<const MeanGradientSlots *>(slots)->pairs.headDim, sizeof(float));
}

void runKeys(const BuiltinCall &call) {
  Dispatch<OfKeys, const MeanGradientSlots *, int64_t, int64_t, float *>::call(
      reinterpret_cast<const MeanGradientSlots *>(call.slots), call.item0, call.item1,
      reinterpret_cast<float *>(call.scratch));
}

} // namespace

const Builtin meanRowsBuiltin = {"mean_rows", sizeof(MeanRowsSlots) / 8, 0, runRows, nullptr, nullptr};
const Builtin meanQueryGradientBuiltin = {
    "mean_query_gradient", sizeof(MeanGradientSlots) / 8, 0, runQueries, nullptr, nullptr};
const Builtin meanKeyGradientBuiltin = {
    "mean_key_gradient", sizeof(MeanGradientSlots) / 8, 0, runKeys, keyBytes, nullptr};

} // namespace tercet::rt
