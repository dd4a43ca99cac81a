// copysign and testp: what a float's bits say, without arithmetic.
#include "core/Numbers.h"
#include "core/Warp.h"
#include "families/Families.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

// The sign of a on the magnitude of b.
void copySign32(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]);
  forLanes(mask, [=](int l) { to[l] = (a[l] & 0x80000000) | (b[l] & 0x7fffffff); });
}
void copySign64(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]), *a = warp.wide(in.from[0]), *b = warp.wide(in.from[1]);
  constexpr uint64_t sign = uint64_t{1} << 63;
  forLanes(mask, [=](int l) { to[l] = (a[l] & sign) | (b[l] & ~sign); });
}

enum class Class : uint8_t { finite, infinite, number, notANumber, normal, subnormal };

void test(Warp &warp, const Instruction &in, Mask mask) {
  Mask result = 0;
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int l = firstLane(rest);
    bool wide = in.type == Type::f64, holds = false;
    double value = wide ? asDouble(warp.wide(in.from[0])[l]) : asFloat(warp.word(in.from[0])[l]);
    int kind = wide ? std::fpclassify(value) : std::fpclassify(float(value));
    switch (Class(in.variant)) {
    case Class::finite:
      holds = std::isfinite(value);
      break;
    case Class::infinite:
      holds = std::isinf(value);
      break;
    case Class::number:
      holds = value == value;
      break;
    case Class::notANumber:
      holds = value != value;
      break;
    case Class::normal:
      holds = kind == FP_NORMAL;
      break;
    case Class::subnormal:
      holds = kind == FP_SUBNORMAL;
      break;
    }
    result |= Mask(holds) << l;
  }
  warp.setPredicate(in.to[0], mask, result);
}

Type takeFloat(Decoding &d) {
  Type type = d.takeType();
  if (type != Type::f32 && type != Type::f64)
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  return type;
}

void decodeCopySign(Decoding &d) {
  Type type = takeFloat(d);
  d.expectOperands(3);
  d.to(0, type);
  d.from(1, type);
  d.from(2, type);
  d.run(type == Type::f32 ? copySign32 : copySign64);
}

void decodeTest(Decoding &d) {
  d.in.variant = uint8_t(d.takeNeeded<Class>({{"finite", Class::finite},
                                              {"infinite", Class::infinite},
                                              {"number", Class::number},
                                              {"notanumber", Class::notANumber},
                                              {"normal", Class::normal},
                                              {"subnormal", Class::subnormal}},
                                             "class"));
  d.in.type = takeFloat(d);
  d.expectOperands(2);
  d.to(0, Type::pred);
  d.from(1, d.in.type);
  d.run(test);
}

constexpr Rule rules[] = {{"copysign", decodeCopySign}, {"testp", decodeTest}};

} // namespace

Rules floatSignRules() { return rules; }

} // namespace tercet::sim
