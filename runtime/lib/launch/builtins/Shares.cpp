// Weights eight at a time; sums keep one f64 per lane.
#include "Shares.h"

#include "Dispatch.h"
#include "Exp.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace tercet::rt {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

typedef uint32_t Word8 __attribute__((vector_size(32)));
typedef double Double8 __attribute__((vector_size(64)));

[[gnu::always_inline]] inline Float8 valuesOf(const Int8 &keys) {
  Word8 words = (Word8)keys, negated = 0x80000000u - words;
  return (Float8)(keys < 0 ? negated : words);
}

[[gnu::always_inline]] inline Float8 weightsOf(const Float8 &values, bool isShare, float offset) {
  Float8 below = Float8{} + offset;
  Float8 weights = values == below ? Float8{} + 1.0f : expOfNegative(values - below);
  weights = isShare ? values : weights;
  return values == values ? weights : Float8{};
}

/// Eight keys from j on, as many as there are.
[[gnu::always_inline]] inline Int8 loadKeys(const int32_t *keys, int64_t j, int64_t count) {
  if (j + 8 <= count)
    return loadVector<Int8>(keys + j);
  Int8 some = Int8{} + noKey;
  for (int64_t lane = 0; j + lane < count; ++lane)
    some[lane] = keys[j + lane];
  return some;
}

struct WeightFrom {
  [[gnu::always_inline]] static inline void run(const int32_t *keys, int64_t count, int32_t bound, bool isShare,
                                                float offset, double *result) {
    Double8 sums = {};
    for (int64_t j = 0; j < count; j += 8) {
      Int8 some = loadKeys(keys, j, count);
      Float8 weights = weightsOf(valuesOf(some), isShare, offset);
      sums += __builtin_convertvector(some >= bound ? weights : Float8{}, Double8);
    }
    *result = sumOfLanes<double>(sums);
  }
};

struct CountOfWeight {
  [[gnu::always_inline]] static inline void run(const int32_t *keys, int64_t count, float least, bool isShare,
                                                float offset, int64_t *result) {
    Int8 counts = {};
    for (int64_t j = 0; j < count; j += 8) {
      Int8 some = loadKeys(keys, j, count);
      Float8 weights = weightsOf(valuesOf(some), isShare, offset);
      counts -= (some != noKey) & (weights >= least);
    }
    *result = sumOfLanes<int64_t>(counts);
  }
};

struct AddShares {
  [[gnu::always_inline]] static inline void run(const float *values, const uint8_t *states, int64_t count, bool isShare,
                                                float offset, float factor, float *sums) {
    for (int64_t j = 0; j < count; j += 8) {
      Float8 some = {};
      int64_t lanes = std::min<int64_t>(8, count - j);
      for (int64_t lane = 0; lane < lanes; ++lane)
        some[lane] = values[j + lane];
      Float8 shares = weightsOf(some, isShare, offset) * factor;
      for (int64_t lane = 0; lane < lanes; ++lane)
        sums[j + lane] += states[j + lane] & nonEmpty ? shares[lane] : 0.0f;
    }
  }
};

struct SubtractLog {
  [[gnu::always_inline]] static inline void run(float *values, int64_t count, float offset, float logUnit) {
    for (int64_t j = 0; j < count; ++j)
      values[j] = values[j] - offset - logUnit; // large scores cancel first
  }
};

} // namespace

Weighing Weighing::ofLogits(float largest) { return {false, largest > -infinity ? largest : 0.0f, 1}; }

double Weighing::weight(float value) const {
  return static_cast<double>(weightsOf(Float8{} + value, isShare, offset)[0]);
}

double weightFrom(const int32_t *keys, int64_t count, int32_t bound, const Weighing &weighing) {
  double result = 0;
  Dispatch<WeightFrom, const int32_t *, int64_t, int32_t, bool, float, double *>::call(
      keys, count, bound, weighing.isShare, weighing.offset, &result);
  return result;
}

int64_t countOfWeight(const int32_t *keys, int64_t count, double least, const Weighing &weighing) {
  auto bound = static_cast<float>(least);
  if (static_cast<double>(bound) < least)
    bound = std::nextafter(bound, infinity);
  int64_t result = 0;
  Dispatch<CountOfWeight, const int32_t *, int64_t, float, bool, float, int64_t *>::call(
      keys, count, bound, weighing.isShare, weighing.offset, &result);
  return result;
}

void makeLogShares(float *values, int64_t count, const Weighing &weighing) {
  if (weighing.offset == infinity) {
    auto share = static_cast<float>(-std::log(weighing.unit));
    for (int64_t j = 0; j < count; ++j)
      values[j] = values[j] == infinity ? share : values[j] < infinity ? -infinity : values[j];
    return;
  }
  Dispatch<SubtractLog, float *, int64_t, float, float>::call(values, count, weighing.offset,
                                                              static_cast<float>(std::log(weighing.unit)));
}

void addShares(const float *values, const uint8_t *states, int64_t count, const Weighing &weighing, float *sums) {
  Dispatch<AddShares, const float *, const uint8_t *, int64_t, bool, float, float, float *>::call(
      values, states, count, weighing.isShare, weighing.offset, static_cast<float>(1 / weighing.unit), sums);
}

} // namespace tercet::rt
