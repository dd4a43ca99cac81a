// ex2, lg2, rcp, sqrt, rsqrt, tanh, sin and cos. Approximations of hardware are computed exactly and rounded: they lie within
// the error that PTX allows, but not on the bits of any particular device.
#include "core/Warp.h"
#include "families/Families.h"

#include "core/Numbers.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

enum class Function : uint8_t { ex2, lg2, rcp, sqrt, rsqrt, tanh, sin, cos };

template <Function function> inline float evaluate(float x) {
  switch (function) {
  case Function::ex2:
    return std::exp2(x);
  case Function::lg2:
    return std::log2(x);
  case Function::rcp:
    return 1.0f / x;
  case Function::sqrt:
    return std::sqrt(x);
  case Function::rsqrt:
    return float(1.0 / std::sqrt(double(x)));
  case Function::tanh:
    return std::tanh(x);
  case Function::sin:
    return std::sin(x);
  case Function::cos:
    return std::cos(x);
  }
}

template <Function function, bool ftz> void single(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]);
  forLanes(mask, [=](int l) {
    uint32_t result = floatBits(evaluate<function>(asFloat(ftz ? flush(a[l]) : a[l])));
    to[l] = ftz ? flush(result) : result;
  });
}

// rcp and sqrt in a direction other than to nearest: rounded to odd in double, then once more.
void directed(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]);
  bool root = in.variant == uint8_t(Function::sqrt);
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    double x = asFloat(in.flag ? flush(a[l]) : a[l]), y = root ? std::sqrt(x) : 1 / x;
    if (std::isfinite(y) && y != 0)
      y = roundToOdd(y, root ? std::fma(-y, y, x) : std::fma(-y, x, 1) * (x < 0 ? -1 : 1));
    uint32_t result = narrow(y, singleFormat, Rounding(in.variant2));
    to[l] = in.flag ? flush(result) : result;
  }
}

template <Function function> void wide(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]), *a = warp.wide(in.from[0]);
  forLanes(mask, [=](int l) {
    double x = asDouble(a[l]);
    to[l] = doubleBits(function == Function::rcp    ? 1 / x
                       : function == Function::sqrt ? std::sqrt(x)
                                                    : 1 / std::sqrt(x));
  });
}

// ex2 and tanh of f16 and bf16, alone and in pairs.
template <Function function> void half(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]);
  Format format = in.type == Type::f16 || in.type == Type::f16x2 ? halfFormat : bfloatFormat;
  int elements = bytesOf(in.type) / 2;
  forLanes(mask, [=](int l) {
    uint32_t result = 0;
    for (int e = 0; e < elements; ++e) {
      float x = float(widen((a[l] >> (16 * e)) & 0xffff, format));
      result |= narrow(evaluate<function>(x), format, Rounding::nearestEven) << (16 * e);
    }
    to[l] = result;
  });
}

template <Function function> void decode(Decoding &d) {
  constexpr bool hasExact = function == Function::rcp || function == Function::sqrt || function == Function::rsqrt;
  constexpr bool hasHalf = function == Function::ex2 || function == Function::tanh;
  Type type = d.takeType();
  bool approximate = d.take("approx"), ftz = d.take("ftz");
  Rounding rounding = Rounding::nearestEven;
  if (!approximate) {
    if (!hasExact || function == Function::rsqrt)
      d.fail("exists as .approx only");
    rounding = d.takeNeeded<Rounding>(
        {{"rn", Rounding::nearestEven}, {"rz", Rounding::towardZero}, {"rm", Rounding::down}, {"rp", Rounding::up}},
        "rounding");
  }
  d.expectOperands(2);
  d.to(0, type);
  d.from(1, type);
  d.in.type = type;
  d.in.variant = uint8_t(function);
  d.in.variant2 = uint8_t(rounding);
  d.in.flag = ftz;
  if (type == Type::f32)
    return d.run(rounding != Rounding::nearestEven ? directed : ftz ? single<function, true> : single<function, false>);
  if (hasExact && type == Type::f64 && rounding == Rounding::nearestEven)
    return d.run(wide<function>);
  if (hasHalf && isFloat(type) && bytesOf(type) <= 4 && type != Type::tf32)
    return d.run(half<function>);
  d.fail(fmt::format("does not take .{}", nameOf(type)));
}

constexpr Rule rules[] = {
    {"ex2", decode<Function::ex2>},   {"lg2", decode<Function::lg2>},     {"rcp", decode<Function::rcp>},
    {"sqrt", decode<Function::sqrt>}, {"rsqrt", decode<Function::rsqrt>}, {"tanh", decode<Function::tanh>},
    {"sin", decode<Function::sin>},   {"cos", decode<Function::cos>},
};

} // namespace

Rules approximateRules() { return rules; }

} // namespace tercet::sim
