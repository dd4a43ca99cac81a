// add, sub, mul, mad, div, rem, min, max, abs, neg, sad and carries on integers. Sub-word results keep their register's upper
// bits zero. Floating types of the same mnemonics are decoded by FloatArithmetic.cpp.
#include "core/Warp.h"
#include "families/Arithmetic.h"
#include "families/Families.h"

#include <algorithm>
#include <type_traits>

namespace tercet::sim {

namespace {

// How a value of type T lies in registers: 16-bit values in words of 32.
template <typename T> using Stored = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
template <typename T> T fromStored(Stored<T> bits) { return static_cast<T>(bits); }
template <typename T> Stored<T> toStored(T value) { return static_cast<std::make_unsigned_t<T>>(value); }
template <typename T> Stored<T> *lanesOf(Warp &warp, uint32_t slot) {
  if constexpr (sizeof(T) == 8)
    return warp.wide(slot);
  else
    return warp.word(slot);
}
template <typename T>
using Twice =
    std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
                       std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
                                          std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>>>;

template <typename T> T wrap(std::make_unsigned_t<T> value) { return static_cast<T>(value); }

struct Add {
  template <typename T> static T of(T a, T b) {
    return wrap<T>(std::make_unsigned_t<T>(std::make_unsigned_t<T>(a) + std::make_unsigned_t<T>(b)));
  }
};
struct AddSaturated {
  template <typename T> static T of(T a, T b) {
    Twice<T> sum = Twice<T>(a) + b;
    return T(std::clamp<Twice<T>>(sum, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }
};
struct Subtract {
  template <typename T> static T of(T a, T b) {
    return wrap<T>(std::make_unsigned_t<T>(std::make_unsigned_t<T>(a) - std::make_unsigned_t<T>(b)));
  }
};
struct SubtractSaturated {
  template <typename T> static T of(T a, T b) {
    Twice<T> sum = Twice<T>(a) - b;
    return T(std::clamp<Twice<T>>(sum, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }
};
struct MultiplyLow {
  template <typename T> static T of(T a, T b) { return T(uint64_t(a) * uint64_t(b)); }
};
struct MultiplyHigh {
  template <typename T> static T of(T a, T b) { return T((Twice<T>(a) * Twice<T>(b)) >> (8 * sizeof(T))); }
};
struct Divide {
  template <typename T> static T of(T a, T b) {
    if (b == 0)
      return T(~T(0)); // unspecified by PTX; all ones on hardware
    if constexpr (std::is_signed_v<T>)
      if (b == T(-1))
        return Subtract::of<T>(0, a);
    return T(a / b);
  }
};
struct Remainder {
  template <typename T> static T of(T a, T b) {
    if (b == 0)
      return a;
    if constexpr (std::is_signed_v<T>)
      if (b == T(-1))
        return 0;
    return T(a % b);
  }
};
struct Least {
  template <typename T> static T of(T a, T b) { return std::min(a, b); }
};
struct Greatest {
  template <typename T> static T of(T a, T b) { return std::max(a, b); }
};
struct Magnitude {
  template <typename T> static T of(T a) { return a < 0 ? Subtract::of<T>(0, a) : a; }
};
struct Negate {
  template <typename T> static T of(T a) { return Subtract::of<T>(0, a); }
};

template <typename Operation> struct Binary {
  template <typename T> static void run(Warp &warp, const Instruction &in, Mask mask) {
    auto *to = lanesOf<T>(warp, in.to[0]), *a = lanesOf<T>(warp, in.from[0]), *b = lanesOf<T>(warp, in.from[1]);
    forLanes(mask,
             [=](int l) { to[l] = toStored<T>(Operation::template of<T>(fromStored<T>(a[l]), fromStored<T>(b[l]))); });
  }
};
template <typename Operation> struct Unary {
  template <typename T> static void run(Warp &warp, const Instruction &in, Mask mask) {
    auto *to = lanesOf<T>(warp, in.to[0]), *a = lanesOf<T>(warp, in.from[0]);
    forLanes(mask, [=](int l) { to[l] = toStored<T>(Operation::template of<T>(fromStored<T>(a[l]))); });
  }
};
// a * b + c, by the part of the product that is kept.
template <typename Product> struct MultiplyAdd {
  template <typename T> static void run(Warp &warp, const Instruction &in, Mask mask) {
    auto *to = lanesOf<T>(warp, in.to[0]), *a = lanesOf<T>(warp, in.from[0]), *b = lanesOf<T>(warp, in.from[1]),
         *c = lanesOf<T>(warp, in.from[2]);
    forLanes(mask, [=](int l) {
      to[l] = toStored<T>(
          Add::of<T>(Product::template of<T>(fromStored<T>(a[l]), fromStored<T>(b[l])), fromStored<T>(c[l])));
    });
  }
};
struct MultiplyWide {
  template <typename T> static void run(Warp &warp, const Instruction &in, Mask mask) {
    using W = Twice<T>;
    auto *to = lanesOf<W>(warp, in.to[0]);
    auto *a = lanesOf<T>(warp, in.from[0]), *b = lanesOf<T>(warp, in.from[1]);
    forLanes(mask, [=](int l) { to[l] = toStored<W>(W(fromStored<T>(a[l])) * W(fromStored<T>(b[l]))); });
  }
};
struct MultiplyAddWide {
  template <typename T> static void run(Warp &warp, const Instruction &in, Mask mask) {
    using W = Twice<T>;
    auto *to = lanesOf<W>(warp, in.to[0]), *c = lanesOf<W>(warp, in.from[2]);
    auto *a = lanesOf<T>(warp, in.from[0]), *b = lanesOf<T>(warp, in.from[1]);
    forLanes(mask, [=](int l) {
      to[l] = toStored<W>(Add::of<W>(W(fromStored<T>(a[l])) * W(fromStored<T>(b[l])), fromStored<W>(c[l])));
    });
  }
};
// |a - b| + c
struct Sad {
  template <typename T> static void run(Warp &warp, const Instruction &in, Mask mask) {
    auto *to = lanesOf<T>(warp, in.to[0]), *a = lanesOf<T>(warp, in.from[0]), *b = lanesOf<T>(warp, in.from[1]),
         *c = lanesOf<T>(warp, in.from[2]);
    forLanes(mask, [=](int l) {
      T x = fromStored<T>(a[l]), y = fromStored<T>(b[l]);
      to[l] = toStored<T>(Add::of<T>(x > y ? Subtract::of<T>(x, y) : Subtract::of<T>(y, x), fromStored<T>(c[l])));
    });
  }
};

/// The handler of a template for an integer type; fails for others.
template <typename Form> Handler forType(Decoding &d, Type type) {
  switch (type) {
  case Type::u16:
    return Form::template run<uint16_t>;
  case Type::s16:
    return Form::template run<int16_t>;
  case Type::u32:
    return Form::template run<uint32_t>;
  case Type::s32:
    return Form::template run<int32_t>;
  case Type::u64:
    return Form::template run<uint64_t>;
  case Type::s64:
    return Form::template run<int64_t>;
  default:
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  }
}
template <typename Form> Handler forNarrowType(Decoding &d, Type type) {
  switch (type) {
  case Type::u16:
    return Form::template run<uint16_t>;
  case Type::s16:
    return Form::template run<int16_t>;
  case Type::u32:
    return Form::template run<uint32_t>;
  case Type::s32:
    return Form::template run<int32_t>;
  default:
    d.fail(fmt::format("does not take .{} with .wide", nameOf(type)));
  }
}
Type twice(Type type) {
  switch (type) {
  case Type::u16:
    return Type::u32;
  case Type::s16:
    return Type::s32;
  case Type::u32:
    return Type::u64;
  default:
    return Type::s64;
  }
}

void operandsOf(Decoding &d, Type type, size_t sources) {
  d.expectOperands(sources + 1);
  d.to(0, type);
  for (size_t i = 1; i <= sources; ++i)
    d.from(i, type);
}

template <typename Operation, typename Saturated> void decodeSum(Decoding &d) {
  Type type = d.takeType();
  if (isFloat(type))
    return decodeFloatArithmetic(d, type);
  bool saturated = d.take("sat");
  if (saturated && type != Type::s32)
    d.fail("saturates .s32 only");
  operandsOf(d, type, 2);
  d.run(saturated ? forType<Binary<Saturated>>(d, type) : forType<Binary<Operation>>(d, type));
}

template <typename Operation> void decodeBinary(Decoding &d) {
  Type type = d.takeType();
  if (isFloat(type))
    return decodeFloatArithmetic(d, type);
  operandsOf(d, type, 2);
  d.run(forType<Binary<Operation>>(d, type));
}

template <typename Operation> void decodeUnary(Decoding &d) {
  Type type = d.takeType();
  if (isFloat(type))
    return decodeFloatArithmetic(d, type);
  if (!isSigned(type))
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  operandsOf(d, type, 1);
  d.run(forType<Unary<Operation>>(d, type));
}

void decodeMultiply(Decoding &d) {
  Type type = d.takeType();
  if (isFloat(type))
    return decodeFloatArithmetic(d, type);
  if (d.take("wide")) {
    d.expectOperands(3);
    d.run(forNarrowType<MultiplyWide>(d, type));
    d.to(0, twice(type));
    d.from(1, type);
    d.from(2, type);
    return;
  }
  bool high = d.take("hi");
  if (!high && !d.take("lo"))
    d.fail("has none of .lo, .hi and .wide");
  operandsOf(d, type, 2);
  d.run(high ? forType<Binary<MultiplyHigh>>(d, type) : forType<Binary<MultiplyLow>>(d, type));
}

void decodeMultiplyAdd(Decoding &d) {
  Type type = d.takeType();
  if (isFloat(type))
    return decodeFloatArithmetic(d, type);
  if (d.take("wide")) {
    d.expectOperands(4);
    d.run(forNarrowType<MultiplyAddWide>(d, type));
    d.to(0, twice(type));
    d.from(1, type);
    d.from(2, type);
    d.from(3, twice(type));
    return;
  }
  bool high = d.take("hi");
  if (!high && !d.take("lo"))
    d.fail("has none of .lo, .hi and .wide");
  operandsOf(d, type, 3);
  d.run(high ? forType<MultiplyAdd<MultiplyHigh>>(d, type) : forType<MultiplyAdd<MultiplyLow>>(d, type));
}

void decodeSad(Decoding &d) {
  Type type = d.takeType();
  operandsOf(d, type, 3);
  d.run(forType<Sad>(d, type));
}

constexpr Rule rules[] = {
    {"add", decodeSum<Add, AddSaturated>},
    {"sub", decodeSum<Subtract, SubtractSaturated>},
    {"mul", decodeMultiply},
    {"mad", decodeMultiplyAdd},
    {"div", decodeBinary<Divide>},
    {"rem", decodeBinary<Remainder>},
    {"min", decodeBinary<Least>},
    {"max", decodeBinary<Greatest>},
    {"abs", decodeUnary<Magnitude>},
    {"neg", decodeUnary<Negate>},
    {"sad", decodeSad},
};

} // namespace

Rules integerRules() { return rules; }

} // namespace tercet::sim
