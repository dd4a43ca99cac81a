// Logic, shifts and bit fields: and, or, xor, not, lop3, shl, shr, shf, bfi, bfe, prmt, popc, clz, brev, bfind.
#include "core/Warp.h"
#include "families/Families.h"

#include <fmt/format.h>

#include <algorithm>

namespace tercet::sim {

namespace {

struct And {
  template <typename T> static T of(T a, T b) { return a & b; }
};
struct Or {
  template <typename T> static T of(T a, T b) { return a | b; }
};
struct Xor {
  template <typename T> static T of(T a, T b) { return a ^ b; }
};

template <typename Operation> void logic32(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]);
  forLanes(mask, [=](int l) { to[l] = Operation::of(a[l], b[l]); });
}
template <typename Operation> void logic64(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]), *a = warp.wide(in.from[0]), *b = warp.wide(in.from[1]);
  forLanes(mask, [=](int l) { to[l] = Operation::of(a[l], b[l]); });
}
template <typename Operation> void logicPredicate(Warp &warp, const Instruction &in, Mask mask) {
  warp.setPredicate(in.to[0], mask, Operation::of(warp.predicate(in.from[0]), warp.predicate(in.from[1])));
}
template <typename Operation> void decodeLogic(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(3);
  d.to(0, type);
  d.from(1, type);
  d.from(2, type);
  if (type == Type::pred)
    d.run(logicPredicate<Operation>);
  else if (type == Type::b16 || type == Type::b32)
    d.run(logic32<Operation>);
  else if (type == Type::b64)
    d.run(logic64<Operation>);
  else
    d.fail(fmt::format("does not take .{}", nameOf(type)));
}

void notWord(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), keep = uint32_t(in.immediate);
  forLanes(mask, [=](int l) { to[l] = ~a[l] & keep; });
}
void notWide(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]), *a = warp.wide(in.from[0]);
  forLanes(mask, [=](int l) { to[l] = ~a[l]; });
}
void notPredicate(Warp &warp, const Instruction &in, Mask mask) {
  warp.setPredicate(in.to[0], mask, ~warp.predicate(in.from[0]));
}
void decodeNot(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(2);
  d.to(0, type);
  d.from(1, type);
  d.in.immediate = type == Type::b16 ? 0xffff : 0xffffffff;
  d.run(type == Type::pred ? notPredicate : bytesOf(type) == 8 ? notWide : notWord);
}

// Any function of three bits, as a table of eight.
void lop3(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]),
           *c = warp.word(in.from[2]);
  uint32_t table = uint32_t(in.immediate);
  forLanes(mask, [=](int l) {
    uint32_t result = 0;
    for (int row = 0; row < 8; ++row)
      if (table >> row & 1)
        result |= (row & 4 ? a[l] : ~a[l]) & (row & 2 ? b[l] : ~b[l]) & (row & 1 ? c[l] : ~c[l]);
    to[l] = result;
  });
}
void decodeLop3(Decoding &d) {
  if (d.takeType() != Type::b32)
    d.fail("takes .b32 only");
  d.expectOperands(5);
  d.to(0, Type::b32);
  for (size_t i = 1; i < 4; ++i)
    d.from(i, Type::b32);
  d.in.immediate = d.immediate(4) & 0xff;
  d.run(lop3);
}

// Amounts beyond the width give zeros (or signs), not a rotated amount.
template <typename T> void shiftLeft(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *amount = warp.word(in.from[1]);
  if constexpr (sizeof(T) == 8) {
    uint64_t *to = warp.wide(in.to[0]), *a = warp.wide(in.from[0]);
    forLanes(mask, [=](int l) { to[l] = amount[l] < 64 ? a[l] << amount[l] : 0; });
  } else {
    uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]);
    forLanes(mask, [=](int l) { to[l] = T(amount[l] < 8 * sizeof(T) ? a[l] << amount[l] : 0); });
  }
}
template <typename T> void shiftRight(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *amount = warp.word(in.from[1]);
  constexpr uint32_t most = 8 * sizeof(T) - 1;
  constexpr bool arithmetic = std::is_signed_v<T>;
  if constexpr (sizeof(T) == 8) {
    uint64_t *to = warp.wide(in.to[0]), *a = warp.wide(in.from[0]);
    forLanes(mask, [=](int l) {
      to[l] = uint64_t(T(a[l]) >> std::min(amount[l], most));
      if (!arithmetic && amount[l] > most)
        to[l] = 0;
    });
  } else {
    uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]);
    forLanes(mask, [=](int l) {
      bool gone = !arithmetic && amount[l] > most;
      uint32_t shifted = std::make_unsigned_t<T>(T(a[l]) >> std::min(amount[l], most));
      to[l] = gone ? 0 : shifted;
    });
  }
}
void shiftOperands(Decoding &d, Type type) {
  d.expectOperands(3);
  d.to(0, type);
  d.from(1, type);
  d.from(2, Type::u32);
}
void decodeShiftLeft(Decoding &d) {
  Type type = d.takeType();
  shiftOperands(d, type);
  switch (type) {
  case Type::b16:
    return d.run(shiftLeft<uint16_t>);
  case Type::b32:
    return d.run(shiftLeft<uint32_t>);
  case Type::b64:
    return d.run(shiftLeft<uint64_t>);
  default:
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  }
}
void decodeShiftRight(Decoding &d) {
  Type type = d.takeType();
  shiftOperands(d, type);
  switch (type) {
  case Type::b16:
  case Type::u16:
    return d.run(shiftRight<uint16_t>);
  case Type::s16:
    return d.run(shiftRight<int16_t>);
  case Type::b32:
  case Type::u32:
    return d.run(shiftRight<uint32_t>);
  case Type::s32:
    return d.run(shiftRight<int32_t>);
  case Type::b64:
  case Type::u64:
    return d.run(shiftRight<uint64_t>);
  case Type::s64:
    return d.run(shiftRight<int64_t>);
  default:
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  }
}

// shf: 64 bits b:a shifted; the high word of a left shift, the low word of a right one.
void funnel(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]),
           *amount = warp.word(in.from[2]);
  bool left = in.flag, wraps = in.flag2;
  forLanes(mask, [=](int l) {
    uint32_t n = wraps ? amount[l] & 31 : std::min(amount[l], 32u);
    uint64_t both = uint64_t(b[l]) << 32 | a[l];
    to[l] = left ? uint32_t(n == 32 ? a[l] : (both << n) >> 32) : uint32_t(both >> n);
  });
}
void decodeFunnel(Decoding &d) {
  d.in.flag = d.takeNeeded<bool>({{"l", true}, {"r", false}}, "direction");
  d.in.flag2 = d.takeNeeded<bool>({{"wrap", true}, {"clamp", false}}, "mode");
  if (d.takeType() != Type::b32)
    d.fail("takes .b32 only");
  d.expectOperands(4);
  d.to(0, Type::b32);
  for (size_t i = 1; i < 4; ++i)
    d.from(i, Type::b32);
  d.run(funnel);
}

constexpr Rule rules[] = {
    {"and", decodeLogic<And>}, {"or", decodeLogic<Or>},  {"xor", decodeLogic<Xor>}, {"not", decodeNot},
    {"lop3", decodeLop3},      {"shl", decodeShiftLeft}, {"shr", decodeShiftRight}, {"shf", decodeFunnel},
};

} // namespace

Rules bitRules() { return rules; }

} // namespace tercet::sim
