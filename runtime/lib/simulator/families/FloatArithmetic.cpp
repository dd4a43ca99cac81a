// add, sub, mul, fma, div, min, max, abs, neg on f32, f64, f16, bf16 and pairs, with rounding, .ftz and .sat.
//
// f32 to nearest is the host's own arithmetic. Everything else is computed in double, rounded to odd, and rounded once more
// to the format in the asked direction, which is exact.
#include "core/Warp.h"
#include "families/Arithmetic.h"
#include "families/Families.h"

#include "core/Numbers.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

enum class Operation : uint8_t { add, subtract, multiply, fma, divide, least, greatest, magnitude, negate };

// What the fields of an instruction mean here.
struct Mode {
  Rounding rounding;
  bool ftz, saturated, nanWins, relu;
};
Mode modeOf(const Instruction &in) {
  return {Rounding(in.variant2), in.flag, in.flag2, (in.immediate & 1) != 0, (in.immediate & 2) != 0};
}

/// The exact result rounded to odd; min, max, abs and neg are exact.
double compute(Operation operation, double a, double b, double c) {
  switch (operation) {
  case Operation::add:
    return oddSum(a, b);
  case Operation::subtract:
    return oddSum(a, -b);
  case Operation::multiply:
    return a * b; // of two numbers of at most 24 bits: exact
  case Operation::fma:
    return std::isfinite(a * b) && std::isfinite(c) ? oddSum(a * b, c) : a * b + c;
  case Operation::divide: {
    double quotient = a / b;
    return std::isfinite(quotient) && quotient != 0 ? roundToOdd(quotient, std::fma(-quotient, b, a) * (b < 0 ? -1 : 1))
                                                    : quotient;
  }
  default:
    return a;
  }
}

// min and max of bits: -0 is below +0, a NaN loses unless it is asked to win.
template <typename Bits, typename Value> Value extreme(bool greatest, bool nanWins, Value a, Value b) {
  if (a != a || b != b)
    return nanWins || (a != a && b != b) ? std::numeric_limits<Value>::quiet_NaN() : a != a ? b : a;
  if (a == b)
    return std::signbit(a) == greatest ? b : a;
  return (a > b) == greatest ? a : b;
}

uint32_t narrowResult(Operation operation, double a, double b, double c, Format format, const Mode &mode) {
  uint32_t sign = 1u << (format.exponentBits + format.mantissaBits);
  uint32_t bits;
  if (operation == Operation::least || operation == Operation::greatest)
    bits = narrow(extreme<uint64_t, double>(operation == Operation::greatest, mode.nanWins, a, b), format,
                  Rounding::nearestEven);
  else
    bits = narrow(compute(operation, a, b, c), format, mode.rounding);
  uint32_t leastNormal = 1u << format.mantissaBits;
  if (mode.ftz && (bits & ~sign) < leastNormal)
    bits &= sign;
  double value = widen(bits, format);
  if (mode.saturated)
    bits = value > 0 ? (value < 1 ? bits : narrow(1, format, Rounding::nearestEven)) : 0;
  if (mode.relu && value == value && (bits & sign))
    bits = 0;
  return bits;
}

// Any f32 form but the plain ones below.
void slowSingle(Warp &warp, const Instruction &in, Mask mask) {
  Mode mode = modeOf(in);
  uint32_t *to = warp.word(in.to[0]);
  const uint32_t *source[3];
  for (int i = 0; i < 3; ++i)
    source[i] = warp.word(in.from[i < in.fromCount ? i : 0]);
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    double x[3];
    for (int i = 0; i < 3; ++i)
      x[i] = asFloat(mode.ftz ? flush(source[i][l]) : source[i][l]);
    to[l] = narrowResult(Operation(in.variant), x[0], x[1], x[2], singleFormat, mode);
  }
}

template <Operation operation> inline float plainSingle(float a, float b) {
  if constexpr (operation == Operation::add)
    return a + b;
  else if constexpr (operation == Operation::subtract)
    return a - b;
  else if constexpr (operation == Operation::multiply)
    return a * b;
  else
    return a / b;
}

// add, sub, mul, div to nearest.
template <Operation operation, bool ftz> void single(Warp &warp, const Instruction &in, Mask mask) {
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
#pragma GCC ivdep
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
      result = xNan | yNan ? canonicalNan : result;
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

void doubleArithmetic(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]), *a = warp.wide(in.from[0]), *b = warp.wide(in.from[in.fromCount > 1]),
           *c = warp.wide(in.from[in.fromCount > 2 ? 2 : 0]);
  Mode mode = modeOf(in);
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    double x = asDouble(a[l]), y = asDouble(b[l]), result = 0;
    switch (Operation(in.variant)) {
    case Operation::add:
      result = x + y;
      break;
    case Operation::subtract:
      result = x - y;
      break;
    case Operation::multiply:
      result = x * y;
      break;
    case Operation::fma:
      result = std::fma(x, y, asDouble(c[l]));
      break;
    case Operation::divide:
      result = x / y;
      break;
    case Operation::least:
      result = extreme<uint64_t, double>(false, mode.nanWins, x, y);
      break;
    case Operation::greatest:
      result = extreme<uint64_t, double>(true, mode.nanWins, x, y);
      break;
    case Operation::magnitude:
      result = std::fabs(x);
      break;
    case Operation::negate:
      result = -x;
      break;
    }
    to[l] = doubleBits(result);
  }
}

// f16, bf16 and pairs of them.
void halfArithmetic(Warp &warp, const Instruction &in, Mask mask) {
  Mode mode = modeOf(in);
  auto operation = Operation(in.variant);
  Format format = in.type == Type::f16 || in.type == Type::f16x2 ? halfFormat : bfloatFormat;
  int elements = bytesOf(in.type) / 2;
  uint32_t *to = warp.word(in.to[0]);
  const uint32_t *source[3];
  for (int i = 0; i < 3; ++i)
    source[i] = warp.word(in.from[i < in.fromCount ? i : 0]);
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    uint32_t result = 0;
    for (int e = 0; e < elements; ++e) {
      uint32_t bits[3];
      double x[3];
      for (int i = 0; i < 3; ++i) {
        bits[i] = (source[i][l] >> (16 * e)) & 0xffff;
        if (mode.ftz && (bits[i] & 0x7fff) < 1u << format.mantissaBits)
          bits[i] &= 0x8000;
        x[i] = widen(bits[i], format);
      }
      uint32_t out = operation == Operation::magnitude ? bits[0] & 0x7fff
                     : operation == Operation::negate  ? bits[0] ^ 0x8000
                                                       : narrowResult(operation, x[0], x[1], x[2], format, mode);
      result |= out << (16 * e);
    }
    to[l] = result;
  }
}

// Pairs of f32 in 64 bits, as sm_100 adds and multiplies them.
void pairArithmetic(Warp &warp, const Instruction &in, Mask mask) {
  Mode mode = modeOf(in);
  uint64_t *to = warp.wide(in.to[0]);
  const uint64_t *source[3];
  for (int i = 0; i < 3; ++i)
    source[i] = warp.wide(in.from[i < in.fromCount ? i : 0]);
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    uint64_t result = 0;
    for (int e = 0; e < 2; ++e) {
      double x[3];
      for (int i = 0; i < 3; ++i) {
        uint32_t bits = uint32_t(source[i][l] >> (32 * e));
        x[i] = asFloat(mode.ftz ? flush(bits) : bits);
      }
      result |= uint64_t(narrowResult(Operation(in.variant), x[0], x[1], x[2], singleFormat, mode)) << (32 * e);
    }
    to[l] = result;
  }
}

Operation operationOf(Decoding &d) {
  constexpr std::pair<std::string_view, Operation> names[] = {
      {"add", Operation::add},    {"sub", Operation::subtract}, {"mul", Operation::multiply},
      {"fma", Operation::fma},    {"mad", Operation::fma},      {"div", Operation::divide},
      {"min", Operation::least},  {"max", Operation::greatest}, {"abs", Operation::magnitude},
      {"neg", Operation::negate},
  };
  for (const auto &[name, operation] : names)
    if (name == d.statement.parts[0])
      return operation;
  d.fail("does not take floating types");
}

template <bool ftz> Handler plainHandler(Operation operation, bool nanWins) {
  switch (operation) {
  case Operation::add:
    return single<Operation::add, ftz>;
  case Operation::subtract:
    return single<Operation::subtract, ftz>;
  case Operation::multiply:
    return single<Operation::multiply, ftz>;
  case Operation::divide:
    return single<Operation::divide, ftz>;
  case Operation::fma:
    return fmaHandler<ftz>();
  case Operation::least:
    return nanWins ? singleExtreme<false, true, ftz> : singleExtreme<false, false, ftz>;
  case Operation::greatest:
    return nanWins ? singleExtreme<true, true, ftz> : singleExtreme<true, false, ftz>;
  case Operation::magnitude:
    return singleSign<false, ftz>;
  case Operation::negate:
    return singleSign<true, ftz>;
  }
  return nullptr;
}

void decodeFma(Decoding &d) { decodeFloatArithmetic(d, d.takeType()); }

constexpr Rule rules[] = {{"fma", decodeFma}};

} // namespace

void decodeFloatArithmetic(Decoding &d, Type type) {
  if (!isFloat(type) || type == Type::tf32)
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  Operation operation = operationOf(d);
  bool rounds = operation <= Operation::fma || operation == Operation::divide;
  bool extremes = operation == Operation::least || operation == Operation::greatest;
  Rounding rounding = Rounding::nearestEven;
  if (rounds)
    rounding = d.takeOne<Rounding>(
        {{"rn", Rounding::nearestEven}, {"rz", Rounding::towardZero}, {"rm", Rounding::down}, {"rp", Rounding::up}},
        Rounding::nearestEven);
  if (operation == Operation::divide && !d.take("approx"))
    d.take("full"); // both within 2 units of the last place; the exact quotient will do
  bool ftz = d.take("ftz"), saturated = rounds && d.take("sat"), nanWins = extremes && d.take("NaN"),
       relu = d.take("relu");
  size_t sources = operation == Operation::fma ? 3 : operation >= Operation::magnitude ? 1 : 2;
  d.expectOperands(sources + 1);
  d.to(0, type);
  for (size_t i = 1; i <= sources; ++i)
    d.from(i, type);
  d.in.type = type;
  d.in.variant = uint8_t(operation);
  d.in.variant2 = uint8_t(rounding);
  d.in.flag = ftz;
  d.in.flag2 = saturated;
  d.in.immediate = int64_t(nanWins) | int64_t(relu) << 1;
  if (type == Type::f64) {
    if (rounding != Rounding::nearestEven || ftz || saturated)
      d.fail("is supported for .f64 to nearest only");
    return d.run(doubleArithmetic);
  }
  if (type == Type::f32x2 && operation > Operation::fma)
    d.fail("does not take .f32x2");
  if (type == Type::f32x2)
    return d.run(pairArithmetic);
  if (type != Type::f32)
    return d.run(halfArithmetic);
  bool plain = rounding == Rounding::nearestEven && !saturated && !relu;
  d.run(!plain ? slowSingle : ftz ? plainHandler<true>(operation, nanWins) : plainHandler<false>(operation, nanWins));
}

Rules floatRules() { return rules; }

} // namespace tercet::sim
