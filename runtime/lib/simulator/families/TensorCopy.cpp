// cp.async.bulk.tensor and cp.reduce.async.bulk.tensor: boxes of a tensor that a tensor map describes, tiled, with swizzle.
//
// Loads fill what lies outside of the tensor and count the whole box; stores leave it out. The swizzle exchanges chunks by
// the address in shared memory, not by the row of the box.
#include "core/AddressSpace.h"
#include "core/Cta.h"
#include "families/BulkGroups.h"
#include "families/Combine.h"
#include "families/Families.h"
#include "families/SharedTarget.h"
#include "families/TensorBox.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

namespace tercet::sim {

namespace {

constexpr uint64_t alignmentInShared = 128, chunk = 16, sector = 32;
using Bytes = std::vector<std::byte>;

struct Box {
  TensorMap map;
  std::array<int32_t, 5> corner{};
};

// The map behind address[1], and the coordinates in from[0 ..]. immediate: rank.
Box boxOf(const Site &site) {
  Warp &warp = site.warp;
  uint64_t address = warp.addressOf(site.in.address[1], site.lane);
  if (address % 64)
    site.fail(fmt::format("takes a tensor map at {:#x}, which is not a multiple of 64", address));
  auto map =
      TensorMap::decode({readable(site, Space::generic, address, TensorMap::encodedBytes), TensorMap::encodedBytes});
  if (!map.ok())
    site.fail(std::string(map.status().message()));
  if (map->rank != uint32_t(site.in.immediate))
    site.fail(fmt::format("gives {} coordinates to a tensor map of rank {}", site.in.immediate, map->rank));
  Box box{*map, {}};
  for (uint32_t axis = 0; axis < map->rank; ++axis)
    box.corner[axis] = int32_t(warp.word(site.in.from[axis])[site.lane]);
  return box;
}

void checkOffset(const Site &site, uint64_t offset) {
  if (offset % alignmentInShared)
    site.fail(
        fmt::format("has a box at shared address {:#x}, which is not a multiple of {}", offset, alignmentInShared));
}

Type typeOf(TensorMap::Element element) {
  constexpr Type types[] = {Type::u8,  Type::u16, Type::u32,  Type::s32, Type::u64, Type::s64, Type::f16,
                            Type::f32, Type::f64, Type::bf16, Type::f32, Type::f32, Type::f32};
  return types[size_t(element)];
}

void countRow(uint64_t &bytes, uint64_t &sectors, const BoxRow &row) {
  if (row.end == row.begin)
    return;
  bytes += row.end - row.begin;
  sectors += (row.address + row.end - row.begin - 1) / sector - row.address / sector + 1;
}

// The box's bytes as they lie in the tensor, outside filled.
Bytes gatherBox(const Site &site, const Box &box) {
  Bytes bytes(box.map.boxBytes());
  if (box.map.fillWithNan)
    std::memset(bytes.data(), 0xff, bytes.size());
  forRows(box.map, box.corner, [&](const BoxRow &row) {
    if (row.end > row.begin)
      std::memcpy(bytes.data() + row.offset + row.begin,
                  readable(site, Space::global, row.address, row.end - row.begin), row.end - row.begin);
  });
  return bytes;
}

// address: target, map, mbarrier. from: coordinates, then the mask of CTAs if flag.
void load(Warp &warp, const Instruction &in, Mask mask) {
  for (Mask rest = mask; rest; rest &= rest - 1) {
    Site site{warp, in, firstLane(rest)};
    Cluster &cluster = warp.cta.cluster();
    Box box = boxOf(site);
    SharedTarget to = sharedTarget(site, Space::shared, warp.addressOf(in.address[0], site.lane));
    SharedTarget barrier = sharedTarget(site, Space::shared, warp.addressOf(in.address[2], site.lane));
    checkOffset(site, to.offset);
    if (to.cta != barrier.cta)
      site.fail("copies into one CTA and completes an mbarrier of another");
    uint32_t ranks = in.flag ? warp.word(in.from[in.immediate])[site.lane] & 0xffff : 1u << to.cta->rank();
    if (!ranks || ranks >> cluster.size())
      site.fail(fmt::format("copies into the CTAs {:#x} of a cluster that has {}", ranks, cluster.size()));
    uint64_t bytes = box.map.boxBytes();
    std::vector<Cta *> targets;
    for (uint32_t rank = 0; rank < cluster.size(); ++rank)
      if (ranks >> rank & 1) {
        targets.push_back(&cluster.cta(rank));
        checkCopyBarrier(site, *targets.back(), barrier.offset);
        checkAsyncTarget(site, *targets.back(), to.offset, bytes);
      }
    LaunchReport &report = warp.cta.counters().report;
    report.asyncBytes += bytes * targets.size();
    forRows(box.map, box.corner,
            [&](const BoxRow &row) { countRow(report.globalLoadBytes, report.globalLoadSectors, row); });
    warp.cta.effects().post([=] {
      Bytes source = gatherBox(site, box);
      for (Cta *target : targets) {
        for (uint64_t at = 0; at < bytes; at += chunk)
          std::memcpy(target->shared.data() + swizzled(to.offset + at, box.map.swizzle), source.data() + at, chunk);
        landInShared(site, *target, barrier.offset, to.offset, bytes);
      }
    });
  }
}

// address: source, map. variant: Combination.
void store(Warp &warp, const Instruction &in, Mask mask) {
  for (Mask rest = mask; rest; rest &= rest - 1) {
    Site site{warp, in, firstLane(rest)};
    Box box = boxOf(site);
    uint64_t from = warp.addressOf(in.address[0], site.lane), bytes = box.map.boxBytes();
    auto combination = Combination(in.variant);
    Type type = typeOf(box.map.element);
    checkOffset(site, from);
    if (!combines(combination, type))
      site.fail(fmt::format("does not reduce elements of .{} so", nameOf(type)));
    checkAsyncSource(site, warp.cta, from, bytes);
    LaunchReport &report = warp.cta.counters().report;
    report.asyncBytes += bytes;
    forRows(box.map, box.corner, [&](const BoxRow &row) {
      if (row.end > row.begin)
        writable(site, Space::global, row.address, row.end - row.begin);
      countRow(report.globalStoreBytes, report.globalStoreSectors, row);
    });
    auto taken = std::make_shared<Bytes>(bytes);
    startGroupedCopy(
        site, from, bytes,
        [=, &warp] {
          for (uint64_t at = 0; at < bytes; at += chunk)
            std::memcpy(taken->data() + at, warp.cta.shared.data() + swizzled(from + at, box.map.swizzle), chunk);
        },
        [=] {
          forRows(box.map, box.corner, [&](const BoxRow &row) {
            if (row.end > row.begin)
              combine(combination, type, writable(site, Space::global, row.address, row.end - row.begin),
                      taken->data() + row.offset + row.begin, row.end - row.begin);
          });
        });
  }
}

void nothing(Warp &, const Instruction &, Mask) {}

void takeRank(Decoding &d) {
  std::string_view dimension = d.takeNext();
  if (dimension.size() != 2 || dimension[0] < '1' || dimension[0] > '5' || dimension[1] != 'd')
    d.fail("has no dimension .1d to .5d");
  d.in.immediate = dimension[0] - '0';
}

// [map, {coordinates}]
void takeMap(Decoding &d, size_t number) {
  const Operand &operand = d.operand(number);
  d.address(number, 1, Space::generic);
  if (operand.items.size() != 1 || operand.items[0].kind != Operand::Kind::list ||
      operand.items[0].items.size() != size_t(d.in.immediate))
    d.fail(fmt::format("takes [map, {{coordinates}}] with {} coordinates", d.in.immediate));
  for (const Operand &item : operand.items[0].items)
    d.from(item, Type::s32);
}

void decodeTensor(Decoding &d, bool reduces) {
  takeRank(d);
  std::string_view target = d.takeNext(), source = d.takeNext();
  bool loads = source == "global" && (target == "shared::cluster" || target == "shared::cta");
  if (!loads && (target != "global" || source != "shared::cta"))
    d.fail("copies between .global and .shared");
  if (loads && reduces)
    d.fail("reduces into .global");
  if (reduces) {
    d.in.variant = uint8_t(takeCombination(d));
    d.kernel.needsOrder = true;
  }
  d.take("tile");
  if (!d.take(loads ? "mbarrier::complete_tx::bytes" : "bulk_group"))
    d.fail(loads ? "completes .mbarrier::complete_tx::bytes" : "completes a .bulk_group");
  bool multicast = loads && d.take("multicast::cluster"), policy = d.take("L2::cache_hint");
  d.expectOperands((loads ? 3 : 2) + multicast + policy);
  if (loads) {
    d.address(0, 0, Space::shared);
    takeMap(d, 1);
    d.address(2, 2, Space::shared);
    if (multicast)
      d.from(3, Type::b16);
  } else {
    takeMap(d, 0);
    d.address(1, 0, Space::shared);
  }
  if (policy)
    d.from(d.operands() - 1, Type::b64);
  d.in.flag = multicast;
  prepareForBulkCopies(d.kernel);
  d.countAs(loads ? "tensor.load" : reduces ? "tensor.reduce" : "tensor.store");
  d.run(loads ? load : store);
}

void decodeCopy(Decoding &d) { decodeTensor(d, false); }
void decodeReduce(Decoding &d) { decodeTensor(d, true); }
void decodePrefetch(Decoding &d) {
  takeRank(d);
  if (!d.take("L2") || !d.take("global"))
    d.fail("exists as .L2.global");
  d.take("tile");
  bool policy = d.take("L2::cache_hint");
  d.expectOperands(1 + policy);
  takeMap(d, 0);
  if (policy)
    d.from(1, Type::b64);
  d.run(nothing);
}

constexpr Rule rules[] = {{"cp.async.bulk.tensor", decodeCopy},
                          {"cp.reduce.async.bulk.tensor", decodeReduce},
                          {"cp.async.bulk.prefetch.tensor", decodePrefetch}};

} // namespace

Rules tensorCopyRules() { return rules; }

} // namespace tercet::sim
