// cvt: between integers, floats and narrow formats.
//
// A value is taken into an exact intermediate (an integer of 65 bits or a double), then rounded or clamped into the result's
// type. The conversions that kernels are made of have handlers of their own.
#include "core/Warp.h"
#include "families/Families.h"

#include "core/Numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace tercet::sim {

namespace {

enum class ToInteger : uint8_t { none, nearestEven, zero, down, up };

Format formatOf(Type type) {
  switch (type) {
  case Type::f16:
  case Type::f16x2:
    return halfFormat;
  case Type::bf16:
  case Type::bf16x2:
    return bfloatFormat;
  case Type::tf32:
    return tensorFormat;
  default:
    return singleFormat;
  }
}

uint64_t readBits(Warp &warp, uint32_t slot, Type type, int lane) {
  uint32_t bytes = bytesOf(type);
  if (bytes == 8)
    return warp.wide(slot)[lane];
  uint64_t bits = warp.word(slot)[lane];
  return bytes == 4 ? bits : bits & ((1u << (8 * bytes)) - 1);
}

__int128 integerOf(uint64_t bits, Type type) {
  if (!isSigned(type))
    return bits;
  uint32_t shift = 64 - 8 * bytesOf(type);
  return int64_t(bits << shift) >> shift;
}

// Writes an integer; a register wider than the type gets it extended by its sign.
void writeInteger(Warp &warp, const Instruction &in, int lane, __int128 value, bool saturated) {
  uint32_t bits = 8 * bytesOf(in.type);
  bool isSignedResult = isSigned(in.type);
  if (saturated) {
    __int128 least = isSignedResult ? -(__int128{1} << (bits - 1)) : 0;
    __int128 most = (__int128{1} << (isSignedResult ? bits - 1 : bits)) - 1;
    value = std::clamp(value, least, most);
  }
  uint64_t kept = uint64_t(value);
  uint32_t shift = 64 - bits;
  kept = isSignedResult ? uint64_t(int64_t(kept << shift) >> shift) : kept << shift >> shift;
  if (in.immediate == 64) // bits of the register
    warp.wide(in.to[0])[lane] = kept;
  else
    warp.word(in.to[0])[lane] = in.immediate == 16 ? uint32_t(kept) & 0xffff : uint32_t(kept);
}

void integerToInteger(Warp &warp, const Instruction &in, Mask mask) {
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    writeInteger(warp, in, l, integerOf(readBits(warp, in.from[0], in.type2, l), in.type2), in.flag2);
  }
}

// The source is the lower part of a 64-bit register.
void partToInteger(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t part = (uint64_t{1} << (8 * bytesOf(in.type2))) - 1;
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    writeInteger(warp, in, l, integerOf(warp.wide(in.from[0])[l] & part, in.type2), in.flag2);
  }
}

// The common integer conversions, as loops without branches.
void extendUnsigned(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]);
  uint32_t *a = warp.word(in.from[0]);
  forLanes(mask, [=](int l) { to[l] = a[l]; });
}
void extendSigned(Warp &warp, const Instruction &in, Mask mask) {
  uint64_t *to = warp.wide(in.to[0]);
  uint32_t *a = warp.word(in.from[0]);
  forLanes(mask, [=](int l) { to[l] = uint64_t(int64_t(int32_t(a[l]))); });
}
void truncateWide(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]);
  uint64_t *a = warp.wide(in.from[0]);
  forLanes(mask, [=](int l) { to[l] = uint32_t(a[l]); });
}

double floatOf(uint64_t bits, Type type, bool ftz) {
  if (type == Type::f64)
    return asDouble(bits);
  if (type == Type::f32)
    return asFloat(ftz ? flush(uint32_t(bits)) : uint32_t(bits));
  return widen(uint32_t(bits), formatOf(type));
}

double roundToInteger(double value, ToInteger how) {
  switch (how) {
  case ToInteger::nearestEven: {
    double floor = std::floor(value), rest = value - floor;
    bool up = rest > 0.5 || (rest == 0.5 && std::fmod(floor, 2) != 0);
    return std::copysign(up ? floor + 1 : floor, value);
  }
  case ToInteger::zero:
    return std::trunc(value);
  case ToInteger::down:
    return std::floor(value);
  case ToInteger::up:
    return std::ceil(value);
  case ToInteger::none:
    break;
  }
  return value;
}

void floatToInteger(Warp &warp, const Instruction &in, Mask mask) {
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    double value =
        roundToInteger(floatOf(readBits(warp, in.from[0], in.type2, l), in.type2, in.flag), ToInteger(in.variant2));
    double bounded = value != value ? 0 : std::clamp(value, -0x1p100, 0x1p100);
    writeInteger(warp, in, l, __int128(bounded), true);
  }
}

// Writes a float of type in.type; `rounding` is in variant. flag: flush denormals, flag2: saturate to [0, 1] or, for
// pairs of narrow floats, to the finite range; relu is bit 2 of `vector`.
uint32_t narrowFloat(double value, const Instruction &in) {
  Format format = formatOf(in.type);
  uint32_t bits = narrow(value, format, Rounding(in.variant));
  uint32_t sign = 1u << (format.exponentBits + format.mantissaBits), leastNormal = 1u << format.mantissaBits;
  if (in.flag && in.type == Type::f32 && (bits & ~sign) < leastNormal)
    bits &= sign;
  if (in.flag2)
    bits = value > 0 ? (value < 1 ? bits : narrow(1, format, Rounding::nearestEven)) : 0;
  if (in.vector == 2 && value == value && (bits & sign))
    bits = 0;
  // tf32 lies in the upper bits of a word.
  return in.type == Type::tf32 ? bits << 13 : bits;
}

void floatToFloat(Warp &warp, const Instruction &in, Mask mask) {
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    double value = floatOf(readBits(warp, in.from[0], in.type2, l), in.type2, in.flag);
    value = roundToInteger(value, ToInteger(in.variant2));
    if (in.type == Type::f64)
      warp.wide(in.to[0])[l] = doubleBits(in.flag2 ? (value > 0 ? std::min(value, 1.0) : 0.0) : value);
    else
      warp.word(in.to[0])[l] = narrowFloat(value, in);
  }
}

void integerToFloat(Warp &warp, const Instruction &in, Mask mask) {
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    __int128 value = integerOf(readBits(warp, in.from[0], in.type2, l), in.type2);
    double high = double(value);
    double odd = roundToOdd(high, double(value - __int128(high)));
    if (in.type == Type::f64)
      warp.wide(in.to[0])[l] = doubleBits(high);
    else
      warp.word(in.to[0])[l] = narrowFloat(odd, in);
  }
}

// Two f32 to a pair; the first source is the upper half.
void floatsToPair(Warp &warp, const Instruction &in, Mask mask) {
  for (; mask; mask &= mask - 1) {
    int l = firstLane(mask);
    uint32_t high = narrowFloat(asFloat(warp.word(in.from[0])[l]), in),
             low = narrowFloat(asFloat(warp.word(in.from[1])[l]), in);
    warp.word(in.to[0])[l] = high << 16 | low;
  }
}
void floatsToBfloats(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *high = warp.word(in.from[0]), *low = warp.word(in.from[1]);
  forLanes(mask, [=](int l) { to[l] = floatToBfloat(asFloat(high[l])) << 16 | floatToBfloat(asFloat(low[l])); });
}

Rounding takeRounding(Decoding &d) {
  return d.takeOne<Rounding>({{"rn", Rounding::nearestEven},
                              {"rz", Rounding::towardZero},
                              {"rm", Rounding::down},
                              {"rp", Rounding::up},
                              {"rna", Rounding::nearestAway}},
                             Rounding::nearestEven);
}

void decodeConvert(Decoding &d) {
  auto toInteger = d.takeOne<ToInteger>(
      {{"rni", ToInteger::nearestEven}, {"rzi", ToInteger::zero}, {"rmi", ToInteger::down}, {"rpi", ToInteger::up}},
      ToInteger::none);
  d.in.variant = uint8_t(takeRounding(d));
  d.in.variant2 = uint8_t(toInteger);
  d.in.flag = d.take("ftz");
  d.in.flag2 = d.take("sat");
  d.in.vector = d.take("relu") ? 2 : 1;
  Type to = d.takeType(), from = d.takeType();
  d.in.type = to;
  d.in.type2 = from;
  if (to == Type::f16x2 || to == Type::bf16x2) {
    if (from != Type::f32)
      d.fail("makes pairs of .f32 only");
    d.expectOperands(3);
    d.to(0, to);
    d.from(1, from);
    d.from(2, from);
    bool plain = to == Type::bf16x2 && d.in.variant == 0 && d.in.vector == 1 && !d.in.flag2;
    return d.run(plain ? floatsToBfloats : floatsToPair);
  }
  d.expectOperands(2);
  d.to(0, to, Width::atLeast);
  d.from(1, from, Width::atLeast);
  d.in.immediate = int64_t(d.bitsOf(0));
  bool wideFrom = d.bitsOf(1) == 64;
  bool takesPart = wideFrom && bytesOf(from) != 8;
  if (takesPart && !isFloat(from) && !isFloat(to))
    return d.run(partToInteger);
  if (takesPart)
    d.fail(fmt::format("reads a .{} out of a register of 64 bits", nameOf(from)));
  if (isFloat(to) && d.in.immediate != 8 * int64_t(bytesOf(to)))
    d.fail(fmt::format("puts a .{} into a register of {} bits", nameOf(to), d.in.immediate));
  if (isFloat(from))
    return d.run(isFloat(to) ? floatToFloat : floatToInteger);
  if (isFloat(to))
    return d.run(integerToFloat);
  bool plain = !d.in.flag2;
  if (plain && d.in.immediate == 64 && bytesOf(to) == 8 && bytesOf(from) == 4)
    return d.run(isSigned(from) ? extendSigned : extendUnsigned);
  if (plain && d.in.immediate == 32 && bytesOf(to) == 4 && bytesOf(from) == 8)
    return d.run(truncateWide);
  d.run(integerToInteger);
}

// cvt.pack.sat.u8.s32.b32 and its like are not emitted by NVRTC for Tercet's kernels.
constexpr Rule rules[] = {{"cvt", decodeConvert}};

} // namespace

Rules convertRules() { return rules; }

} // namespace tercet::sim
