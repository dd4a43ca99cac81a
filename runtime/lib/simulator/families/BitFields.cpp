// Bit fields and counts: bfi, bfe, prmt, popc, clz, brev, bfind.
#include "core/Warp.h"
#include "families/Families.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace tercet::sim {

namespace {

template <typename T> T *lanesOf(Warp &warp, uint32_t slot) {
  if constexpr (sizeof(T) == 8)
    return warp.wide(slot);
  else
    return warp.word(slot);
}

template <typename T> T lowBits(uint32_t count) { return count >= 8 * sizeof(T) ? ~T(0) : (T(1) << count) - 1; }

// The low `length` bits of a, put into b at `position`; both are taken modulo 256.
template <typename T> void insertField(Warp &warp, const Instruction &in, Mask mask) {
  T *to = lanesOf<T>(warp, in.to[0]), *a = lanesOf<T>(warp, in.from[0]), *b = lanesOf<T>(warp, in.from[1]);
  uint32_t *position = warp.word(in.from[2]), *length = warp.word(in.from[3]);
  forLanes(mask, [=](int l) {
    uint32_t p = position[l] & 0xff, n = length[l] & 0xff;
    T field = p >= 8 * sizeof(T) ? 0 : T(lowBits<T>(n) << p);
    to[l] = p >= 8 * sizeof(T) ? b[l] : T((b[l] & ~field) | ((a[l] << p) & field));
  });
}
void decodeInsert(Decoding &d) {
  Type type = d.takeType();
  if (type != Type::b32 && type != Type::b64)
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  d.expectOperands(5);
  d.to(0, type);
  d.from(1, type);
  d.from(2, type);
  d.from(3, Type::u32);
  d.from(4, Type::u32);
  d.run(type == Type::b32 ? insertField<uint32_t> : insertField<uint64_t>);
}

// Bits beyond the top read as zeros, or as the sign that the field has (its last bit inside the word).
template <typename T, bool isSignedField> void extractField(Warp &warp, const Instruction &in, Mask mask) {
  T *to = lanesOf<T>(warp, in.to[0]), *a = lanesOf<T>(warp, in.from[0]);
  uint32_t *position = warp.word(in.from[1]), *length = warp.word(in.from[2]);
  forLanes(mask, [=](int l) {
    constexpr uint32_t top = 8 * sizeof(T) - 1;
    uint32_t p = position[l] & 0xff, n = length[l] & 0xff;
    T field = p > top ? 0 : T(a[l] >> p) & lowBits<T>(n);
    if (isSignedField && n && (a[l] >> std::min(p + n - 1, top) & 1)) {
      uint32_t kept = p > top ? 0 : std::min(n, top + 1 - p);
      field |= ~lowBits<T>(kept);
    }
    to[l] = n ? field : 0;
  });
}
void decodeExtract(Decoding &d) {
  Type type = d.takeType();
  d.expectOperands(4);
  d.to(0, type);
  d.from(1, type);
  d.from(2, Type::u32);
  d.from(3, Type::u32);
  switch (type) {
  case Type::u32:
    return d.run(extractField<uint32_t, false>);
  case Type::s32:
    return d.run(extractField<uint32_t, true>);
  case Type::u64:
    return d.run(extractField<uint64_t, false>);
  case Type::s64:
    return d.run(extractField<uint64_t, true>);
  default:
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  }
}

// Four bytes chosen from b:a by four selectors; a selector's top bit replicates the byte's sign.
void permute(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]), *a = warp.word(in.from[0]), *b = warp.word(in.from[1]),
           *selector = warp.word(in.from[2]);
  forLanes(mask, [=](int l) {
    uint64_t bytes = uint64_t(b[l]) << 32 | a[l];
    uint32_t result = 0;
    for (int i = 0; i < 4; ++i) {
      uint32_t choice = selector[l] >> (4 * i) & 0xf;
      uint32_t byte = uint32_t(bytes >> (8 * (choice & 7))) & 0xff;
      if (choice & 8)
        byte = byte & 0x80 ? 0xff : 0;
      result |= byte << (8 * i);
    }
    to[l] = result;
  });
}
void decodePermute(Decoding &d) {
  if (d.takeType() != Type::b32)
    d.fail("takes .b32 only");
  d.expectOperands(4);
  d.to(0, Type::b32);
  for (size_t i = 1; i < 4; ++i)
    d.from(i, Type::b32);
  d.run(permute);
}

struct Count {
  template <typename T> static uint32_t of(T a) { return uint32_t(std::popcount(a)); }
};
struct LeadingZeros {
  template <typename T> static uint32_t of(T a) { return uint32_t(std::countl_zero(a)); }
};
template <typename Operation, typename T> void counting(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]);
  T *a = lanesOf<T>(warp, in.from[0]);
  forLanes(mask, [=](int l) { to[l] = Operation::of(a[l]); });
}
template <typename Operation> void decodeCount(Decoding &d) {
  Type type = d.takeType();
  if (type != Type::b32 && type != Type::b64)
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  d.expectOperands(2);
  d.to(0, Type::u32);
  d.from(1, type);
  d.run(type == Type::b32 ? counting<Operation, uint32_t> : counting<Operation, uint64_t>);
}

template <typename T> void reverse(Warp &warp, const Instruction &in, Mask mask) {
  T *to = lanesOf<T>(warp, in.to[0]), *a = lanesOf<T>(warp, in.from[0]);
  forLanes(mask, [=](int l) {
    T result = 0;
    for (size_t i = 0; i < 8 * sizeof(T); ++i)
      result |= (a[l] >> i & 1) << (8 * sizeof(T) - 1 - i);
    to[l] = result;
  });
}
void decodeReverse(Decoding &d) {
  Type type = d.takeType();
  if (type != Type::b32 && type != Type::b64)
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  d.expectOperands(2);
  d.to(0, type);
  d.from(1, type);
  d.run(type == Type::b32 ? reverse<uint32_t> : reverse<uint64_t>);
}

// The highest bit that is set, or that differs from the sign; 0xffffffff when there is none.
template <typename T> void findHighest(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t *to = warp.word(in.to[0]);
  T *a = lanesOf<T>(warp, in.from[0]);
  bool isSignedField = in.flag, shiftAmount = in.flag2;
  forLanes(mask, [=](int l) {
    constexpr uint32_t top = 8 * sizeof(T) - 1;
    T value = isSignedField && (a[l] >> top) ? T(~a[l]) : a[l];
    uint32_t zeros = uint32_t(std::countl_zero(value));
    to[l] = value == 0 ? 0xffffffffu : shiftAmount ? zeros : top - zeros;
  });
}
void decodeFindHighest(Decoding &d) {
  d.in.flag2 = d.take("shiftamt");
  Type type = d.takeType();
  d.in.flag = isSigned(type);
  if (isFloat(type) || bytesOf(type) < 4)
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  d.expectOperands(2);
  d.to(0, Type::u32);
  d.from(1, type);
  d.run(bytesOf(type) == 4 ? findHighest<uint32_t> : findHighest<uint64_t>);
}

constexpr Rule rules[] = {
    {"bfi", decodeInsert},
    {"bfe", decodeExtract},
    {"prmt", decodePermute},
    {"popc", decodeCount<Count>},
    {"clz", decodeCount<LeadingZeros>},
    {"brev", decodeReverse},
    {"bfind", decodeFindHighest},
};

} // namespace

Rules bitFieldRules() { return rules; }

} // namespace tercet::sim
