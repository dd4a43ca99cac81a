// mov, alone and between a register and the parts of one; cvta, isspacep; reads of clocks.
#include "core/AddressSpace.h"
#include "core/Cta.h"
#include "families/Families.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

void moveWord(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]);
  forLanes(mask, [=](int l) { to[l] = a[l]; });
}
void moveWide(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]), *a = warp.wide(in.from[0]);
  forLanes(mask, [=](int l) { to[l] = a[l]; });
}
void movePredicate(Warp &warp, const Instruction &in, Mask mask) {
  warp.setPredicate(in.to[0], mask, warp.predicate(in.from[0]));
}

// {a, b, ..} -> d, lowest first. immediate: bits of a part.
void pack(Warp &warp, const Instruction &in, Mask mask) {
  const uint32_t part = uint32_t(in.immediate), keep = part == 32 ? ~0u : (1u << part) - 1;
  bool isWide = in.flag;
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    uint64_t value = 0;
    for (int i = 0; i < in.fromCount; ++i)
      value |= uint64_t(warp.word(in.from[i])[l] & keep) << (part * uint32_t(i));
    if (isWide)
      warp.wide(in.to[0])[l] = value;
    else
      warp.word(in.to[0])[l] = uint32_t(value);
  }
}
void unpack(Warp &warp, const Instruction &in, Mask mask) {
  const uint32_t part = uint32_t(in.immediate), keep = part == 32 ? ~0u : (1u << part) - 1;
  bool isWide = in.flag;
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    uint64_t value = isWide ? warp.wide(in.from[0])[l] : warp.word(in.from[0])[l];
    for (int i = 0; i < in.toCount; ++i)
      warp.word(in.to[i])[l] = uint32_t(value >> (part * uint32_t(i))) & keep;
  }
}

// Instructions of the warp so far stand for cycles.
void readClock(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t now = warp.executed;
  for (; mask; mask &= mask - 1)
    if (in.flag)
      warp.wide(in.to[0])[firstLane(mask)] = now;
    else
      warp.word(in.to[0])[firstLane(mask)] = uint32_t(now);
}
void readActiveMask(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]);
  forLanes(mask, [=](int l) { to[l] = mask; });
}

Type partType(Decoding &d, Type whole, size_t parts) {
  uint32_t bytes = bytesOf(whole);
  if (parts == 0 || bytes % parts || bytes / parts == 0 || bytes == bytes / parts)
    d.fail(fmt::format("cannot split {} bits into {} parts", bytes * 8, parts));
  switch (bytes / parts) {
  case 1:
    return Type::b8;
  case 2:
    return Type::b16;
  default:
    return Type::b32;
  }
}

void decodeMove(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(2);
  const Operand &to = d.operand(0), &from = d.operand(1);
  bool wide = bytesOf(type) == 8;
  d.in.flag = wide;
  if (to.kind == Operand::Kind::list || from.kind == Operand::Kind::list) {
    bool packs = from.kind == Operand::Kind::list;
    if (packs && to.kind == Operand::Kind::list)
      d.fail("moves between two lists");
    Type part = partType(d, type, packs ? from.items.size() : to.items.size());
    d.in.immediate = bytesOf(part) * 8;
    if (packs) {
      d.to(0, type);
      d.fromList(1, part, 0);
    } else {
      d.toList(0, part, 0);
      d.from(1, type);
    }
    return d.run(packs ? pack : unpack);
  }
  d.to(0, type);
  if (from.name == "%clock" || from.name == "%clock64" || from.name == "%clock_hi" || from.name == "%globaltimer")
    return d.run(readClock);
  d.from(1, type);
  d.run(type == Type::pred ? movePredicate : wide ? moveWide : moveWord);
}

void decodeActiveMask(Decoding &d) {
  if (d.takeType() != Type::b32)
    d.fail("takes .b32 only");
  d.expectOperands(1);
  d.to(0, Type::b32);
  d.run(readActiveMask);
}

Space takeSpace(Decoding &d) {
  return d.takeNeeded<Space>({{"global", Space::global},
                              {"shared", Space::shared},
                              {"shared::cta", Space::shared},
                              {"shared::cluster", Space::shared},
                              {"local", Space::local},
                              {"param", Space::param},
                              {"const", Space::constant}},
                             "space");
}

void toGeneric(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]), *a = warp.wide(in.from[0]), base = uint64_t(in.immediate);
  forLanes(mask, [=](int l) { to[l] = a[l] + base; });
}
void fromGeneric(Warp &warp, const Instruction &in, Mask mask) {
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    uint64_t address = warp.wide(in.from[0])[l], given = address;
    Space space = resolveGeneric(address);
    if (space != in.space)
      Site{warp, in, l}.fail(
          fmt::format("takes {:#x} for an address in .{}; it is one in .{}", given, nameOf(in.space), nameOf(space)));
    warp.wide(in.to[0])[l] = address;
  }
}
void decodeConvertAddress(Decoding &d) {
  bool from = d.take("to");
  Space space = takeSpace(d);
  if (d.takeType() != Type::u64)
    d.fail("takes .u64 only");
  d.expectOperands(2);
  d.to(0, Type::u64);
  d.from(1, Type::u64);
  d.in.space = space;
  d.in.immediate = int64_t(windowOf(space));
  // Global addresses are generic ones, so nothing is checked: kernels convert null pointers before they test them.
  d.run(space == Space::global ? moveWide : from ? fromGeneric : toGeneric);
}

void isInSpace(Warp &warp, const Instruction &in, Mask mask) {
  Mask result = 0;
  for (Mask rest = mask; rest; rest &= rest - 1) {
    uint64_t address = warp.wide(in.from[0])[firstLane(rest)];
    result |= Mask(resolveGeneric(address) == in.space) << firstLane(rest);
  }
  warp.setPredicate(in.to[0], mask, result);
}
void decodeIsInSpace(Decoding &d) {
  d.in.space = takeSpace(d);
  d.expectOperands(2);
  d.to(0, Type::pred);
  d.from(1, Type::u64);
  d.run(isInSpace);
}

constexpr Rule rules[] = {
    {"mov", decodeMove},
    {"activemask", decodeActiveMask},
    {"cvta", decodeConvertAddress},
    {"isspacep", decodeIsInSpace},
};

} // namespace

Rules moveRules() { return rules; }

} // namespace tercet::sim
