// add, sub, mul, fma, div, min, max, abs, neg on f32, f64, f16, bf16 and pairs, with rounding, .ftz and .sat.
//
// f32 to nearest has handlers of its own (FloatSingle.h). Everything else is computed in double, rounded to odd, and rounded once more
// to the format in the asked direction, which is exact.
#include "core/Warp.h"
#include "families/Arithmetic.h"
#include "families/Families.h"
#include "families/FloatSingle.h"

#include "core/Numbers.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

// What the fields of an instruction mean here.
struct Mode {
  Rounding rounding;
  bool ftz, saturated, nanWins, relu;
};
Mode modeOf(const Instruction &in) {
  return {Rounding(in.variant2), in.flag, in.flag2, (in.immediate & 1) != 0, (in.immediate & 2) != 0};
}

/// The exact result rounded to odd; min, max, abs and neg are exact.
double compute(FloatOperation operation, double a, double b, double c) {
  switch (operation) {
  case FloatOperation::add:
    return oddSum(a, b);
  case FloatOperation::subtract:
    return oddSum(a, -b);
  case FloatOperation::multiply:
    return a * b; // of two numbers of at most 24 bits: exact
  case FloatOperation::fma:
    return std::isfinite(a * b) && std::isfinite(c) ? oddSum(a * b, c) : a * b + c;
  case FloatOperation::divide: {
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

uint32_t narrowResult(FloatOperation operation, double a, double b, double c, Format format, const Mode &mode) {
  uint32_t sign = 1u << (format.exponentBits + format.mantissaBits);
  uint32_t bits;
  if (operation == FloatOperation::least || operation == FloatOperation::greatest)
    bits = narrow(extreme<uint64_t, double>(operation == FloatOperation::greatest, mode.nanWins, a, b), format,
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
    to[l] = narrowResult(FloatOperation(in.variant), x[0], x[1], x[2], singleFormat, mode);
  }
}

void doubleArithmetic(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]), *a = warp.wide(in.from[0]), *b = warp.wide(in.from[in.fromCount > 1]),
           *c = warp.wide(in.from[in.fromCount > 2 ? 2 : 0]);
  Mode mode = modeOf(in);
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    double x = asDouble(a[l]), y = asDouble(b[l]), result = 0;
    switch (FloatOperation(in.variant)) {
    case FloatOperation::add:
      result = x + y;
      break;
    case FloatOperation::subtract:
      result = x - y;
      break;
    case FloatOperation::multiply:
      result = x * y;
      break;
    case FloatOperation::fma:
      result = std::fma(x, y, asDouble(c[l]));
      break;
    case FloatOperation::divide:
      result = x / y;
      break;
    case FloatOperation::least:
      result = extreme<uint64_t, double>(false, mode.nanWins, x, y);
      break;
    case FloatOperation::greatest:
      result = extreme<uint64_t, double>(true, mode.nanWins, x, y);
      break;
    case FloatOperation::magnitude:
      result = std::fabs(x);
      break;
    case FloatOperation::negate:
      result = -x;
      break;
    }
    to[l] = doubleBits(result);
  }
}

// f16, bf16 and pairs of them.
void halfArithmetic(Warp &warp, const Instruction &in, Mask mask) {
  Mode mode = modeOf(in);
  auto operation = FloatOperation(in.variant);
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
      uint32_t out = operation == FloatOperation::magnitude ? bits[0] & 0x7fff
                     : operation == FloatOperation::negate  ? bits[0] ^ 0x8000
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
      result |= uint64_t(narrowResult(FloatOperation(in.variant), x[0], x[1], x[2], singleFormat, mode)) << (32 * e);
    }
    to[l] = result;
  }
}

FloatOperation operationOf(Decoding &d) {
  constexpr std::pair<std::string_view, FloatOperation> names[] = {
      {"add", FloatOperation::add},    {"sub", FloatOperation::subtract}, {"mul", FloatOperation::multiply},
      {"fma", FloatOperation::fma},    {"mad", FloatOperation::fma},      {"div", FloatOperation::divide},
      {"min", FloatOperation::least},  {"max", FloatOperation::greatest}, {"abs", FloatOperation::magnitude},
      {"neg", FloatOperation::negate},
  };
  for (const auto &[name, operation] : names)
    if (name == d.statement.parts[0])
      return operation;
  d.fail("does not take floating types");
}

void decodeFma(Decoding &d) { decodeFloatArithmetic(d, d.takeType()); }

constexpr Rule rules[] = {{"fma", decodeFma}};

} // namespace

void decodeFloatArithmetic(Decoding &d, Type type) {
  if (!isFloat(type) || type == Type::tf32)
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  FloatOperation operation = operationOf(d);
  bool rounds = operation <= FloatOperation::fma || operation == FloatOperation::divide;
  bool extremes = operation == FloatOperation::least || operation == FloatOperation::greatest;
  Rounding rounding = Rounding::nearestEven;
  if (rounds)
    rounding = d.takeOne<Rounding>(
        {{"rn", Rounding::nearestEven}, {"rz", Rounding::towardZero}, {"rm", Rounding::down}, {"rp", Rounding::up}},
        Rounding::nearestEven);
  if (operation == FloatOperation::divide && !d.take("approx"))
    d.take("full"); // both within 2 units of the last place; the exact quotient will do
  bool ftz = d.take("ftz"), saturated = rounds && d.take("sat"), nanWins = extremes && d.take("NaN"),
       relu = d.take("relu");
  size_t sources = operation == FloatOperation::fma ? 3 : operation >= FloatOperation::magnitude ? 1 : 2;
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
  if (type == Type::f32x2 && operation > FloatOperation::fma)
    d.fail("does not take .f32x2");
  if (type == Type::f32x2)
    return d.run(pairArithmetic);
  if (type != Type::f32)
    return d.run(halfArithmetic);
  bool plain = rounding == Rounding::nearestEven && !saturated && !relu;
  d.run(plain ? plainSingleHandler(operation, ftz, nanWins) : slowSingle);
}

Rules floatRules() { return rules; }

} // namespace tercet::sim
