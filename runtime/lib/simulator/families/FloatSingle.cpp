// Loops without branches over the lanes, on the host's own arithmetic.
#include "families/FloatSingle.h"

#include "core/Numbers.h"
#include "core/Warp.h"
#include "tercet/LoopHints.h"

namespace tercet::sim {

namespace {

template <FloatOperation operation> inline float plainSingle(float a, float b) {
  if constexpr (operation == FloatOperation::add)
    return a + b;
  else if constexpr (operation == FloatOperation::subtract)
    return a - b;
  else if constexpr (operation == FloatOperation::multiply)
    return a * b;
  else
    return a / b;
}

// add, sub, mul, div to nearest.
template <FloatOperation operation, bool ftz> void single(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]);
  forLanes(mask, [=](int l) {
    uint32_t x = a[l], y = b[l];
    if constexpr (ftz)
      x = flush(x), y = flush(y);
    uint32_t result = floatBits(plainSingle<operation>(asFloat(x), asFloat(y)));
    to[l] = ftz ? flush(result) : result;
  });
}

template <bool ftz> void singleFma(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]),
           *c = warp.word(in.from[2]);
  forLanes(mask, [=](int l) {
    uint32_t x = a[l], y = b[l], z = c[l];
    if constexpr (ftz)
      x = flush(x), y = flush(y), z = flush(z);
    // The product of two floats is exact in double; the sum is rounded to odd by hand, without branches.
    double product = double(asFloat(x)) * double(asFloat(y)), addend = asFloat(z);
    double sum = product + addend, part = sum - product;
    double rest = (product - (sum - part)) + (addend - part);
    uint64_t bits = std::bit_cast<uint64_t>(sum);
    uint64_t step = (rest > 0) == (sum > 0) ? 1 : ~uint64_t{0};
    bool lost = rest < 0 || rest > 0; // not for the NaN that infinities leave
    bits += lost && !(bits & 1) ? step : 0;
    uint32_t result = floatBits(float(std::bit_cast<double>(bits)));
    to[l] = ftz ? flush(result) : result;
  });
}

#if defined(__x86_64__)
// The same bits, where the processor fuses.
template <bool ftz> [[gnu::target("avx2,fma")]] void singleFmaFused(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]),
           *c = warp.word(in.from[2]);
  if (mask != allLanes)
    return singleFma<ftz>(warp, in, mask);
  TERCET_INDEPENDENT
  for (int l = 0; l < warpLanes; ++l) {
    uint32_t x = ftz ? flush(a[l]) : a[l], y = ftz ? flush(b[l]) : b[l], z = ftz ? flush(c[l]) : c[l];
    uint32_t result = floatBits(__builtin_fmaf(asFloat(x), asFloat(y), asFloat(z)));
    to[l] = ftz ? flush(result) : result;
  }
}
#endif

template <bool ftz> Handler fmaHandler() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return singleFmaFused<ftz>;
#endif
  return singleFma<ftz>;
}

template <bool greatest, bool nanWins, bool ftz> void singleExtreme(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]);
  forLanes(mask, [=](int l) {
    uint32_t x = a[l], y = b[l];
    if constexpr (ftz)
      x = flush(x), y = flush(y);
    // Floats in the order of their values are integers in the order of these.
    int32_t p = int32_t(x) ^ int32_t(uint32_t(int32_t(x) >> 31) >> 1),
            q = int32_t(y) ^ int32_t(uint32_t(int32_t(y) >> 31) >> 1);
    bool xNan = (x & 0x7fffffff) > 0x7f800000, yNan = (y & 0x7fffffff) > 0x7f800000;
    uint32_t result = (greatest ? p > q : p < q) ? x : y;
    if constexpr (nanWins)
      result = (xNan | yNan) ? canonicalNan : result;
    else
      result = xNan ? (yNan ? canonicalNan : y) : (yNan ? x : result);
    to[l] = result;
  });
}

template <bool negate, bool ftz> void singleSign(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]);
  forLanes(mask, [=](int l) {
    uint32_t x = ftz ? flush(a[l]) : a[l];
    to[l] = negate ? x ^ 0x80000000 : x & 0x7fffffff;
  });
}

template <bool ftz> Handler plainHandler(FloatOperation operation, bool nanWins) {
  switch (operation) {
  case FloatOperation::add:
    return single<FloatOperation::add, ftz>;
  case FloatOperation::subtract:
    return single<FloatOperation::subtract, ftz>;
  case FloatOperation::multiply:
    return single<FloatOperation::multiply, ftz>;
  case FloatOperation::divide:
    return single<FloatOperation::divide, ftz>;
  case FloatOperation::fma:
    return fmaHandler<ftz>();
  case FloatOperation::least:
    return nanWins ? singleExtreme<false, true, ftz> : singleExtreme<false, false, ftz>;
  case FloatOperation::greatest:
    return nanWins ? singleExtreme<true, true, ftz> : singleExtreme<true, false, ftz>;
  case FloatOperation::magnitude:
    return singleSign<false, ftz>;
  case FloatOperation::negate:
    return singleSign<true, ftz>;
  }
  return nullptr;
}

} // namespace

Handler plainSingleHandler(FloatOperation operation, bool ftz, bool nanWins) {
  return ftz ? plainHandler<true>(operation, nanWins) : plainHandler<false>(operation, nanWins);
}

} // namespace tercet::sim
