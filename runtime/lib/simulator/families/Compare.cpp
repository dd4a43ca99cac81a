// setp, set and selp. Predicates are masks of a warp, so a comparison builds a mask.
#include "core/Warp.h"
#include "families/Families.h"

#include "core/Numbers.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

enum class Relation : uint8_t { eq, ne, lt, le, gt, ge, equ, neu, ltu, leu, gtu, geu, num, nan };

template <Relation relation, typename T> inline bool holds(T a, T b) {
  switch (relation) {
  case Relation::eq:
    return a == b;
  case Relation::ne:
    return a < b || a > b;
  case Relation::lt:
    return a < b;
  case Relation::le:
    return a <= b;
  case Relation::gt:
    return a > b;
  case Relation::ge:
    return a >= b;
  case Relation::equ:
    return !(a < b || a > b);
  case Relation::neu:
    return !(a == b);
  case Relation::ltu:
    return !(a >= b);
  case Relation::leu:
    return !(a > b);
  case Relation::gtu:
    return !(a <= b);
  case Relation::geu:
    return !(a < b);
  case Relation::num:
    return a == a && b == b;
  case Relation::nan:
    return a != a || b != b;
  }
}

// The values of a type from its register's bits.
template <Type type> struct Values;
template <> struct Values<Type::u16> {
  static uint32_t of(uint32_t bits) { return bits & 0xffff; }
  using Bits = uint32_t;
};
template <> struct Values<Type::s16> {
  static int32_t of(uint32_t bits) { return int16_t(bits); }
  using Bits = uint32_t;
};
template <> struct Values<Type::u32> {
  static uint32_t of(uint32_t bits) { return bits; }
  using Bits = uint32_t;
};
template <> struct Values<Type::s32> {
  static int32_t of(uint32_t bits) { return int32_t(bits); }
  using Bits = uint32_t;
};
template <> struct Values<Type::u64> {
  static uint64_t of(uint64_t bits) { return bits; }
  using Bits = uint64_t;
};
template <> struct Values<Type::s64> {
  static int64_t of(uint64_t bits) { return int64_t(bits); }
  using Bits = uint64_t;
};
template <> struct Values<Type::f32> {
  static float of(uint32_t bits) { return asFloat(bits); }
  using Bits = uint32_t;
};
template <> struct Values<Type::f64> {
  static double of(uint64_t bits) { return asDouble(bits); }
  using Bits = uint64_t;
};
template <> struct Values<Type::f16> {
  static float of(uint32_t bits) { return halfToFloatFast(bits); }
  using Bits = uint32_t;
};
template <> struct Values<Type::bf16> {
  static float of(uint32_t bits) { return bfloatToFloat(bits); }
  using Bits = uint32_t;
};

template <Relation relation, Type type> Mask compareLanes(Warp &warp, const Instruction &in, Mask mask) {
  using V = Values<type>;
  auto slotOf = [&](uint32_t slot) {
    if constexpr (sizeof(typename V::Bits) == 8)
      return warp.wide(slot);
    else
      return warp.word(slot);
  };
  auto *a = slotOf(in.from[0]), *b = slotOf(in.from[1]);
  Mask result = 0;
  bool ftz = in.flag;
  for (int l = 0; l < warpLanes; ++l) {
    bool truth;
    if (type == Type::f32 && ftz)
      truth = holds<relation>(asFloat(flush(uint32_t(a[l]))), asFloat(flush(uint32_t(b[l]))));
    else
      truth = holds<relation>(V::of(a[l]), V::of(b[l]));
    result |= Mask(truth) << l;
  }
  return result & mask;
}

// variant2: how the comparison is combined with a predicate c.
enum class Combine : uint8_t { none, conjunction, disjunction, exclusive };

Mask combine(Combine how, Mask compared, Mask c) {
  switch (how) {
  case Combine::none:
    return compared;
  case Combine::conjunction:
    return compared & c;
  case Combine::disjunction:
    return compared | c;
  case Combine::exclusive:
    return compared ^ c;
  }
  return compared;
}

template <Relation relation, Type type> void setPredicates(Warp &warp, const Instruction &in, Mask mask) {
  Mask compared = compareLanes<relation, type>(warp, in, mask);
  auto how = Combine(in.variant2);
  Mask c = how == Combine::none ? 0 : in.flag2 ? ~warp.predicate(in.from[2]) : warp.predicate(in.from[2]);
  Mask inverse = combine(how, ~compared, c);
  warp.setPredicate(in.to[0], mask, combine(how, compared, c));
  if (in.toCount > 1)
    warp.setPredicate(in.to[1], mask, inverse);
}

// set: all ones or 1.0 where the relation holds.
template <Relation relation, Type type> void setWords(Warp &warp, const Instruction &in, Mask mask) {
  Mask compared = compareLanes<relation, type>(warp, in, mask);
  uint32_t *to = warp.word(in.to[0]), value = uint32_t(in.immediate);
  forLanes(mask, [=](int l) { to[l] = compared >> l & 1 ? value : 0; });
}

struct Predicates {
  template <Relation relation, Type type> static constexpr Handler handler = setPredicates<relation, type>;
};
struct Words {
  template <Relation relation, Type type> static constexpr Handler handler = setWords<relation, type>;
};

template <typename Form, Type type> Handler forRelation(Relation relation) {
  switch (relation) {
  case Relation::eq:
    return Form::template handler<Relation::eq, type>;
  case Relation::ne:
    return Form::template handler<Relation::ne, type>;
  case Relation::lt:
    return Form::template handler<Relation::lt, type>;
  case Relation::le:
    return Form::template handler<Relation::le, type>;
  case Relation::gt:
    return Form::template handler<Relation::gt, type>;
  case Relation::ge:
    return Form::template handler<Relation::ge, type>;
  case Relation::equ:
    return Form::template handler<Relation::equ, type>;
  case Relation::neu:
    return Form::template handler<Relation::neu, type>;
  case Relation::ltu:
    return Form::template handler<Relation::ltu, type>;
  case Relation::leu:
    return Form::template handler<Relation::leu, type>;
  case Relation::gtu:
    return Form::template handler<Relation::gtu, type>;
  case Relation::geu:
    return Form::template handler<Relation::geu, type>;
  case Relation::num:
    return Form::template handler<Relation::num, type>;
  case Relation::nan:
    return Form::template handler<Relation::nan, type>;
  }
  return nullptr;
}

template <typename Form> Handler forType(Decoding &d, Type type, Relation relation) {
  switch (type) {
  case Type::b16:
  case Type::u16:
    return forRelation<Form, Type::u16>(relation);
  case Type::s16:
    return forRelation<Form, Type::s16>(relation);
  case Type::b32:
  case Type::u32:
    return forRelation<Form, Type::u32>(relation);
  case Type::s32:
    return forRelation<Form, Type::s32>(relation);
  case Type::b64:
  case Type::u64:
    return forRelation<Form, Type::u64>(relation);
  case Type::s64:
    return forRelation<Form, Type::s64>(relation);
  case Type::f32:
    return forRelation<Form, Type::f32>(relation);
  case Type::f64:
    return forRelation<Form, Type::f64>(relation);
  case Type::f16:
    return forRelation<Form, Type::f16>(relation);
  case Type::bf16:
    return forRelation<Form, Type::bf16>(relation);
  default:
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  }
}

// lo, ls, hi and hs are the unsigned names of lt, le, gt and ge.
Relation takeRelation(Decoding &d) {
  return d.takeNeeded<Relation>({{"eq", Relation::eq},
                                 {"ne", Relation::ne},
                                 {"lt", Relation::lt},
                                 {"le", Relation::le},
                                 {"gt", Relation::gt},
                                 {"ge", Relation::ge},
                                 {"lo", Relation::lt},
                                 {"ls", Relation::le},
                                 {"hi", Relation::gt},
                                 {"hs", Relation::ge},
                                 {"equ", Relation::equ},
                                 {"neu", Relation::neu},
                                 {"ltu", Relation::ltu},
                                 {"leu", Relation::leu},
                                 {"gtu", Relation::gtu},
                                 {"geu", Relation::geu},
                                 {"num", Relation::num},
                                 {"nan", Relation::nan}},
                                "relation");
}

void decodeSetp(Decoding &d) {
  Relation relation = takeRelation(d);
  auto how = d.takeOne<Combine>(
      {{"and", Combine::conjunction}, {"or", Combine::disjunction}, {"xor", Combine::exclusive}}, Combine::none);
  d.in.flag = d.take("ftz");
  Type type = d.takeType();
  d.expectOperands(how == Combine::none ? 3 : 4);
  const Operand &to = d.operand(0);
  d.to(to.kind == Operand::Kind::pair ? to.items[0] : to, Type::pred);
  if (to.kind == Operand::Kind::pair)
    d.to(to.items[1], Type::pred);
  d.from(1, type);
  d.from(2, type);
  if (how != Combine::none) {
    Operand c = d.operand(3);
    d.in.flag2 = c.negated;
    c.negated = false;
    d.from(c, Type::pred);
  }
  d.in.variant2 = uint8_t(how);
  d.run(forType<Predicates>(d, type, relation));
}

void decodeSet(Decoding &d) {
  Relation relation = takeRelation(d);
  d.in.flag = d.take("ftz");
  Type result = d.takeType(), type = d.takeType();
  if (result != Type::u32 && result != Type::s32 && result != Type::f32)
    d.fail(fmt::format("does not give .{}", nameOf(result)));
  d.expectOperands(3);
  d.to(0, result);
  d.from(1, type);
  d.from(2, type);
  d.in.immediate = result == Type::f32 ? 0x3f800000 : 0xffffffff;
  d.run(forType<Words>(d, type, relation));
}

void selectWords(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]);
  Mask choice = warp.predicate(in.from[2]);
  forLanes(mask, [=](int l) { to[l] = choice >> l & 1 ? a[l] : b[l]; });
}
void selectWide(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]), *a = warp.wide(in.from[0]), *b = warp.wide(in.from[1]);
  Mask choice = warp.predicate(in.from[2]);
  forLanes(mask, [=](int l) { to[l] = choice >> l & 1 ? a[l] : b[l]; });
}
void decodeSelp(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(4);
  d.to(0, type);
  d.from(1, type);
  d.from(2, type);
  d.from(3, Type::pred);
  d.run(bytesOf(type) == 8 ? selectWide : selectWords);
}

constexpr Rule rules[] = {{"setp", decodeSetp}, {"set", decodeSet}, {"selp", decodeSelp}};

} // namespace

Rules compareRules() { return rules; }

} // namespace tercet::sim
