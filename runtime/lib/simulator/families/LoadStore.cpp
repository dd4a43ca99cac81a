// ld and st of every space, with vectors, extension into wider registers, and cache hints (which change nothing here).
//
// Orders (.relaxed, .acquire, .release, .volatile, .weak) are accepted: CTAs run one after another, and warps of a CTA see each
// other's writes at once.
#include "core/AddressSpace.h"
#include "core/Cta.h"
#include "core/Traffic.h"
#include "families/Families.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

namespace tercet::sim {

namespace {

void checkAligned(const Site &site, uint64_t address, uint32_t bytes) {
  if (address % bytes)
    site.fail(fmt::format("accesses {} bytes at address {:#x}, which is not a multiple of {}", bytes, address, bytes));
}

// The space an access went to, for counting; the first lane decides for generic ones.
Space spaceOf(const Instruction &in, uint64_t address) {
  return in.space == Space::generic ? resolveGeneric(address) : in.space;
}

void count(Warp &warp, const Instruction &in, const LaneAddresses &addresses, Mask mask, uint32_t bytes, bool isLoad) {
  LaunchReport &report = warp.cta.counters().report;
  Space space = spaceOf(in, addresses[size_t(firstLane(mask))]);
  if (space == Space::shared) {
    addShared(isLoad ? report.sharedLoad : report.sharedStore, addresses, mask, bytes);
  } else if (space == Space::global) {
    (isLoad ? report.globalLoadBytes : report.globalStoreBytes) += uint64_t(std::popcount(mask)) * bytes;
    (isLoad ? report.globalLoadSectors : report.globalStoreSectors) += countSectors(addresses, mask, bytes);
  }
}

// The bytes of a load; those that nobody needs are not looked at, and come as ones.
const std::byte *loaded(const Site &site, uint64_t address, uint32_t bytes, std::array<std::byte, 32> &partly) {
  const uint32_t used = site.in.usedBytes;
  if (used == 0)
    return readable(site, site.in.space, address, bytes);
  const auto begin = uint32_t(std::countr_zero(used)), end = std::min(bytes, uint32_t(std::bit_width(used)));
  partly.fill(std::byte{0xff});
  if (begin < end)
    std::memcpy(partly.data() + begin, readable(site, site.in.space, address + begin, end - begin), end - begin);
  return partly.data();
}

// T: the element as it lies in memory; extended by its sign if it has one. immediate: bits of the destination registers.
template <typename T> void load(Warp &warp, const Instruction &in, Mask mask) {
  const uint32_t bytes = sizeof(T) * in.vector;
  LaneAddresses addresses;
  std::array<std::byte, 32> partly;
  bool wide = in.immediate == 64;
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int l = firstLane(rest);
    Site site{warp, in, l};
    uint64_t address = addresses[size_t(l)] = warp.addressOf(in.address[0], l);
    checkAligned(site, address, bytes);
    const std::byte *source = loaded(site, address, bytes, partly);
    for (int v = 0; v < in.vector; ++v) {
      T value;
      std::memcpy(&value, source + v * sizeof(T), sizeof(T));
      if (wide)
        warp.wide(in.to[v])[l] = uint64_t(value);
      else
        warp.word(in.to[v])[l] = sizeof(T) == 1 && in.immediate == 16 ? uint32_t(value) & 0xffff : uint32_t(value);
    }
  }
  if (in.space != Space::param)
    count(warp, in, addresses, mask, bytes, true);
}

template <typename T> void store(Warp &warp, const Instruction &in, Mask mask) {
  const uint32_t bytes = sizeof(T) * in.vector;
  LaneAddresses addresses;
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int l = firstLane(rest);
    Site site{warp, in, l};
    uint64_t address = addresses[size_t(l)] = warp.addressOf(in.address[0], l);
    checkAligned(site, address, bytes);
    std::byte *target = writable(site, in.space, address, bytes);
    for (int v = 0; v < in.vector; ++v) {
      T value = sizeof(T) == 8 || in.immediate == 64 ? T(warp.wide(in.from[v])[l]) : T(warp.word(in.from[v])[l]);
      std::memcpy(target + v * sizeof(T), &value, sizeof(T));
    }
  }
  count(warp, in, addresses, mask, bytes, false);
}

Space takeSpace(Decoding &d) {
  return d.takeOne<Space>({{"global", Space::global},
                           {"shared", Space::shared},
                           {"shared::cta", Space::shared},
                           {"shared::cluster", Space::shared},
                           {"local", Space::local},
                           {"param", Space::param},
                           {"param::entry", Space::param},
                           {"const", Space::constant}},
                          Space::generic);
}

void takeOrder(Decoding &d) {
  d.takeHints();
  for (const char *order : {"weak", "volatile", "relaxed", "acquire", "release", "mmio"})
    d.take(order);
  for (const char *scope : {"cta", "cluster", "gpu", "sys"})
    d.take(scope);
}

uint32_t takeVector(Decoding &d) { return d.takeOne<uint32_t>({{"v2", 2}, {"v4", 4}, {"v8", 8}}, 1); }

void checkVector(Decoding &d, Type type, uint32_t vector) {
  if (bytesOf(type) * vector > 32)
    d.fail("moves more than 32 bytes per thread");
}

std::string kindOf(std::string_view mnemonic, Space space) {
  return space == Space::generic ? std::string(mnemonic) : fmt::format("{}.{}", mnemonic, nameOf(space));
}

Handler loadHandler(Decoding &d, Type type) {
  switch (type) {
  case Type::b8:
  case Type::u8:
    return load<uint8_t>;
  case Type::s8:
    return load<int8_t>;
  case Type::s16:
    return load<int16_t>;
  case Type::b16:
  case Type::u16:
  case Type::f16:
  case Type::bf16:
    return load<uint16_t>;
  case Type::s32:
    return load<int32_t>;
  case Type::b32:
  case Type::u32:
  case Type::f32:
    return load<uint32_t>;
  case Type::b64:
  case Type::u64:
  case Type::s64:
  case Type::f64:
    return load<uint64_t>;
  default:
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  }
}

// Bits of the registers that hold the elements: one number for all of them, since one handler moves them.
uint32_t registerBits(Decoding &d, size_t number, Type type) {
  const Operand &operand = d.operand(number);
  std::span<const Operand> items(&operand, 1);
  if (operand.kind == Operand::Kind::list)
    items = operand.items;
  uint32_t natural = bytesOf(type) == 8 ? 64 : 32, bits = 0;
  bool others = false; // constants and sinks, which have the size of the type
  for (const Operand &item : items) {
    uint32_t own = d.bitsOf(item);
    others |= own == 0;
    if (own && bits && own != bits)
      d.fail("mixes registers of different sizes");
    bits = own ? own : bits;
  }
  if (others && bits == 64 && natural == 32)
    d.fail("mixes registers with constants or sinks of another size");
  return bits ? bits : natural;
}

void decodeLoad(Decoding &d) {
  Space space = takeSpace(d);
  bool acquires = false;
  for (const char *order : {"volatile", "acquire"})
    acquires |= d.take(order);
  takeOrder(d);
  uint32_t vector = takeVector(d);
  Type type = d.takeType();
  checkVector(d, type, vector);
  d.expectOperands(2);
  d.toList(0, type, vector, Width::atLeast);
  space = d.address(1, 0, space);
  d.in.space = space;
  d.in.vector = uint8_t(vector);
  d.in.immediate = registerBits(d, 0, type);
  d.countAs(kindOf("ld", space));
  // A wait for another CTA reads in this way.
  d.kernel.needsOrder |= acquires && space != Space::shared && space != Space::local;
  d.run(loadHandler(d, type));
}

void decodeStore(Decoding &d) {
  Space space = takeSpace(d);
  takeOrder(d);
  uint32_t vector = takeVector(d);
  Type type = d.takeType();
  checkVector(d, type, vector);
  d.expectOperands(2);
  space = d.address(0, 0, space);
  d.fromList(1, type, vector, Width::atLeast);
  d.in.space = space;
  d.in.vector = uint8_t(vector);
  d.in.immediate = registerBits(d, 1, type);
  d.countAs(kindOf("st", space));
  switch (bytesOf(type)) {
  case 1:
    return d.run(store<uint8_t>);
  case 2:
    return d.run(store<uint16_t>);
  case 4:
    return d.run(store<uint32_t>);
  case 8:
    return d.run(store<uint64_t>);
  default:
    d.fail(fmt::format("does not take .{}", nameOf(type)));
  }
}

constexpr Rule rules[] = {{"ld", decodeLoad}, {"ldu", decodeLoad}, {"st", decodeStore}};

} // namespace

Rules loadStoreRules() { return rules; }

} // namespace tercet::sim
