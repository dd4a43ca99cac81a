// Integer operations of more than one step: carries (add.cc, addc, sub.cc, subc), dot products of bytes (dp4a, dp2a), products
// of 24 bits (mul24, mad24).
#include "core/Warp.h"
#include "families/Families.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

/// The carry bit of each thread: set by .cc, read by addc and subc.
struct Carry {
  Mask lanes = 0;
};

// flag: subtract. flag2: take the carry in. variant: give a carry out.
template <typename T> void withCarry(Warp &warp, const Instruction &in, Mask mask) {
  Carry &carry = warp.state.get<Carry>();
  auto lanesOf = [&](uint32_t slot) {
    if constexpr (sizeof(T) == 8)
      return warp.wide(slot);
    else
      return warp.word(slot);
  };
  T *to = lanesOf(in.to[0]), *a = lanesOf(in.from[0]), *b = lanesOf(in.from[1]);
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    // A borrow is kept as a carry bit that is set.
    unsigned __int128 carried = in.flag2 ? carry.lanes >> l & 1 : 0;
    unsigned __int128 wide =
        in.flag ? (unsigned __int128)a[l] - b[l] - carried : (unsigned __int128)a[l] + b[l] + carried;
    to[l] = T(wide);
    if (in.variant)
      carry.lanes = (carry.lanes & ~(Mask{1} << l)) | Mask((wide >> (8 * sizeof(T))) & 1) << l;
  }
}

template <bool subtracts, bool takes> void decodeCarry(Decoding &d) {
  bool gives = d.take("cc") || !takes;
  Type type = d.takeType();
  if (isFloat(type) || bytesOf(type) < 4)
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  d.expectOperands(3);
  d.to(0, type);
  d.from(1, type);
  d.from(2, type);
  d.in.flag = subtracts;
  d.in.flag2 = takes;
  d.in.variant = gives;
  d.run(bytesOf(type) == 8 ? withCarry<uint64_t> : withCarry<uint32_t>);
}

// type, type2: signs of a and b. variant: bytes of an element of a (1 or 2). flag: dp2a takes the upper bytes of b.
void dotProduct(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]),
           *c = warp.word(in.from[2]);
  int bytes = in.variant, count = 4 / bytes;
  auto element = [](uint32_t bits, int at, int size, bool isSignedElement) {
    uint32_t shift = uint32_t(32 - 8 * size), raised = bits >> (8 * at) << shift;
    return isSignedElement ? int64_t(int32_t(raised) >> shift) : int64_t(raised >> shift);
  };
  bool signedA = isSigned(in.type), signedB = isSigned(in.type2);
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    int64_t sum = c[l];
    for (int i = 0; i < count; ++i)
      sum += element(a[l], i * bytes, bytes, signedA) * element(b[l], i + (in.flag ? 2 : 0), 1, signedB);
    to[l] = uint32_t(sum);
  }
}

template <uint8_t bytes> void decodeDot(Decoding &d) {
  if (bytes == 2)
    d.in.flag = d.takeNeeded<bool>({{"lo", false}, {"hi", true}}, "half");
  d.in.type = d.takeType();
  d.in.type2 = d.takeType();
  d.expectOperands(4);
  d.to(0, Type::b32);
  for (size_t i = 1; i < 4; ++i)
    d.from(i, Type::b32);
  d.in.variant = bytes;
  d.run(dotProduct);
}

// flag: the upper 32 of 48 bits. variant: add the third source.
void product24(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]);
  uint32_t *c = warp.word(in.from[in.variant ? 2 : 0]);
  bool isSignedProduct = isSigned(in.type), high = in.flag, adds = in.variant;
  forLanes(mask, [=](int l) {
    int64_t x = isSignedProduct ? int32_t(a[l] << 8) >> 8 : int64_t(a[l] & 0xffffff);
    int64_t y = isSignedProduct ? int32_t(b[l] << 8) >> 8 : int64_t(b[l] & 0xffffff);
    uint32_t product = uint32_t(high ? (x * y) >> 16 : x * y);
    to[l] = product + (adds ? c[l] : 0);
  });
}

template <bool adds> void decode24(Decoding &d) {
  d.in.flag = d.takeNeeded<bool>({{"lo", false}, {"hi", true}}, "half");
  d.in.type = d.takeType();
  if (d.in.type != Type::u32 && d.in.type != Type::s32)
    d.fail(fmt::format("does not take .{}", nameOf(d.in.type)));
  d.expectOperands(adds ? 4 : 3);
  d.to(0, d.in.type);
  for (size_t i = 1; i < d.operands(); ++i)
    d.from(i, d.in.type);
  d.in.variant = adds;
  d.run(product24);
}

constexpr Rule rules[] = {
    {"add.cc", decodeCarry<false, false>},
    {"addc", decodeCarry<false, true>},
    {"sub.cc", decodeCarry<true, false>},
    {"subc", decodeCarry<true, true>},
    {"dp4a", decodeDot<1>},
    {"dp2a", decodeDot<2>},
    {"mul24", decode24<false>},
    {"mad24", decode24<true>},
};

} // namespace

Rules integerExtendedRules() { return rules; }

} // namespace tercet::sim
