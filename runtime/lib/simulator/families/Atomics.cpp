// atom and red on global and shared memory. Lanes take effect one after another, lowest first.
//
// A kernel with atomics on global memory runs on one host thread, CTA after CTA, so that sums of floats are the same in
// every run.
#include "core/AddressSpace.h"
#include "core/Cta.h"
#include "core/Numbers.h"
#include "core/Traffic.h"
#include "families/Families.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace tercet::sim {

namespace {

enum class Update : uint8_t {
  add,
  conjunction,
  disjunction,
  exclusive,
  least,
  greatest,
  exchange,
  compareExchange,
  increment,
  decrement
};

template <typename T> T integerUpdate(Update update, T old, T a, T b) {
  switch (update) {
  case Update::add:
    return T(std::make_unsigned_t<T>(old) + std::make_unsigned_t<T>(a));
  case Update::conjunction:
    return old & a;
  case Update::disjunction:
    return old | a;
  case Update::exclusive:
    return old ^ a;
  case Update::least:
    return std::min(old, a);
  case Update::greatest:
    return std::max(old, a);
  case Update::exchange:
    return a;
  case Update::compareExchange:
    return old == a ? b : old;
  case Update::increment:
    return old >= a ? 0 : old + 1;
  case Update::decrement:
    return old == 0 || old > a ? a : old - 1;
  }
  return old;
}

// The new value, by the type of the instruction; on bits as they lie in memory.
uint64_t apply(const Instruction &in, uint64_t old, uint64_t a, uint64_t b) {
  auto update = Update(in.variant);
  switch (in.type) {
  case Type::s32:
    return uint32_t(integerUpdate<int32_t>(update, int32_t(old), int32_t(a), int32_t(b)));
  case Type::s64:
    return uint64_t(integerUpdate<int64_t>(update, int64_t(old), int64_t(a), int64_t(b)));
  case Type::u64:
  case Type::b64:
    return integerUpdate<uint64_t>(update, old, a, b);
  case Type::f32:
    return floatBits(asFloat(uint32_t(old)) + asFloat(uint32_t(a)));
  case Type::f64:
    return doubleBits(asDouble(old) + asDouble(a));
  case Type::f16:
  case Type::bf16:
  case Type::f16x2:
  case Type::bf16x2: {
    Format format = in.type == Type::f16 || in.type == Type::f16x2 ? halfFormat : bfloatFormat;
    uint64_t result = 0;
    for (uint32_t e = 0; e < bytesOf(in.type) / 2; ++e) {
      double x = widen(old >> (16 * e) & 0xffff, format), y = widen(a >> (16 * e) & 0xffff, format);
      result |= uint64_t(narrow(oddSum(x, y), format, Rounding::nearestEven)) << (16 * e);
    }
    return result;
  }
  case Type::b16:
    return integerUpdate<uint16_t>(update, uint16_t(old), uint16_t(a), uint16_t(b));
  default:
    return integerUpdate<uint32_t>(update, uint32_t(old), uint32_t(a), uint32_t(b));
  }
}

uint64_t sourceBits(Warp &warp, const Instruction &in, int number, int lane) {
  return bytesOf(in.type) == 8 ? warp.wide(in.from[number])[lane] : warp.word(in.from[number])[lane];
}

// flag: the old value is wanted. flag2: there is a second source.
void atomic(Warp &warp, const Instruction &in, Mask mask) {
  uint32_t size = bytesOf(in.type), bytes = size * in.vector;
  LaneAddresses addresses;
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int l = firstLane(rest);
    Site site{warp, in, l};
    uint64_t address = addresses[size_t(l)] = warp.addressOf(in.address[0], l);
    if (address % bytes)
      site.fail(
          fmt::format("accesses {} bytes at address {:#x}, which is not a multiple of {}", bytes, address, bytes));
    std::byte *target = updatable(site, in.space, address, bytes);
    for (int v = 0; v < in.vector; ++v, target += size) {
      uint64_t old = 0;
      std::memcpy(&old, target, size);
      uint64_t a = sourceBits(warp, in, v, l), b = in.flag2 ? sourceBits(warp, in, in.vector + v, l) : 0;
      uint64_t result = apply(in, old, a, b);
      std::memcpy(target, &result, size);
      if (!in.flag)
        continue;
      if (size == 8)
        warp.wide(in.to[v])[l] = old;
      else
        warp.word(in.to[v])[l] = uint32_t(old);
    }
  }
  LaunchReport &report = warp.cta.counters().report;
  if (in.space != Space::shared) {
    report.globalStoreBytes += uint64_t(std::popcount(mask)) * bytes;
    report.globalStoreSectors += countSectors(addresses, mask, bytes);
  }
}

void decodeUpdate(Decoding &d, bool returns) {
  for (const char *order : {"relaxed", "acquire", "release", "acq_rel"})
    d.take(order);
  for (const char *scope : {"cta", "cluster", "gpu", "sys"})
    d.take(scope);
  d.takeHints();
  d.take("noftz");
  Space space = d.takeOne<Space>({{"global", Space::global},
                                  {"shared", Space::shared},
                                  {"shared::cta", Space::shared},
                                  {"shared::cluster", Space::shared}},
                                 Space::generic);
  auto update = d.takeNeeded<Update>({{"add", Update::add},
                                      {"and", Update::conjunction},
                                      {"or", Update::disjunction},
                                      {"xor", Update::exclusive},
                                      {"min", Update::least},
                                      {"max", Update::greatest},
                                      {"exch", Update::exchange},
                                      {"cas", Update::compareExchange},
                                      {"inc", Update::increment},
                                      {"dec", Update::decrement}},
                                     "operation");
  uint32_t vector = d.takeOne<uint32_t>({{"v2", 2}, {"v4", 4}, {"v8", 8}}, 1);
  Type type = d.takeType();
  if (bytesOf(type) * vector > 32)
    d.fail("updates more than 32 bytes per thread");
  if ((isFloat(type) && update != Update::add) || bytesOf(type) < 2 || (update == Update::compareExchange && !returns))
    d.fail(fmt::format("does not exist for .{}", nameOf(type)));
  bool two = update == Update::compareExchange;
  d.expectOperands((returns ? 2 : 1) + (two ? 2 : 1));
  size_t number = 0;
  if (returns)
    d.toList(number++, type, vector);
  d.address(number++, 0, space);
  d.fromList(number++, type, vector);
  if (two)
    d.fromList(number++, type, vector);
  d.in.space = space;
  d.in.type = type;
  d.in.vector = uint8_t(vector);
  d.in.variant = uint8_t(update);
  d.in.flag = returns;
  d.in.flag2 = two;
  d.kernel.needsOrder |= space != Space::shared;
  d.countAs(fmt::format("{}.{}", returns ? "atom" : "red", nameOf(space)));
  d.run(atomic);
}

void decodeAtomic(Decoding &d) { decodeUpdate(d, true); }
void decodeReduction(Decoding &d) { decodeUpdate(d, false); }

constexpr Rule rules[] = {{"atom", decodeAtomic}, {"red", decodeReduction}};

} // namespace

Rules atomicRules() { return rules; }

} // namespace tercet::sim
