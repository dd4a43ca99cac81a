// cp.async.bulk and cp.reduce.async.bulk without a tensor map: whole ranges between global memory and shared memory of the
// cluster.
#include "core/AddressSpace.h"
#include "core/Cta.h"
#include "families/BulkGroups.h"
#include "families/Combine.h"
#include "families/Families.h"
#include "families/SharedTarget.h"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <vector>

namespace tercet::sim {

namespace {

constexpr uint64_t unit = 16;
using Bytes = std::vector<std::byte>;

void checkRange(const Site &site, uint64_t to, uint64_t from, uint64_t bytes) {
  if (to % unit || from % unit || bytes % unit)
    site.fail(
        fmt::format("copies {} bytes from {:#x} to {:#x}; all three must be multiples of {}", bytes, from, to, unit));
}

uint64_t sectors(uint64_t address, uint64_t bytes) { return bytes ? (address + bytes - 1) / 32 - address / 32 + 1 : 0; }

// from: bytes, then the mask of CTAs if flag. address: target, source, mbarrier. flag2: the source is shared memory.
void copyToShared(Warp &warp, const Instruction &in, Mask mask) {
  for (Mask rest = mask; rest; rest &= rest - 1) {
    Site site{warp, in, firstLane(rest)};
    Cluster &cluster = warp.cta.cluster();
    uint64_t from = warp.addressOf(in.address[1], site.lane), bytes = warp.word(in.from[0])[site.lane];
    SharedTarget to = sharedTarget(site, Space::shared, warp.addressOf(in.address[0], site.lane));
    SharedTarget barrier = sharedTarget(site, Space::shared, warp.addressOf(in.address[2], site.lane));
    checkRange(site, to.offset, from, bytes);
    if (to.cta != barrier.cta)
      site.fail("copies into one CTA and completes an mbarrier of another");
    uint32_t ranks = in.flag ? warp.word(in.from[1])[site.lane] & 0xffff : 1u << to.cta->rank();
    if (!ranks || ranks >> cluster.size())
      site.fail(fmt::format("copies into the CTAs {:#x} of a cluster that has {}", ranks, cluster.size()));
    if (in.flag2)
      checkAsyncSource(site, warp.cta, from, bytes);
    std::vector<Cta *> targets;
    for (uint32_t rank = 0; rank < cluster.size(); ++rank)
      if (ranks >> rank & 1) {
        targets.push_back(&cluster.cta(rank));
        checkCopyBarrier(site, *targets.back(), barrier.offset);
        checkAsyncTarget(site, *targets.back(), to.offset, bytes);
      }
    LaunchReport &report = warp.cta.counters().report;
    report.asyncBytes += bytes * targets.size();
    const std::byte *source = nullptr;
    if (!in.flag2) {
      source = readable(site, Space::global, from, bytes);
      report.globalLoadBytes += bytes;
      report.globalLoadSectors += sectors(from, bytes);
    }
    warp.cta.effects().post([=] {
      const std::byte *bytesFrom = source ? source : site.warp.cta.shared.data() + from;
      for (Cta *target : targets) {
        if (auto combination = Combination(site.in.variant); combination != Combination::none)
          combine(combination, site.in.type, target->shared.data() + to.offset, bytesFrom, bytes);
        else
          std::memmove(target->shared.data() + to.offset, bytesFrom, bytes);
        landInShared(site, *target, barrier.offset, to.offset, bytes);
      }
    });
  }
}

// from: bytes. address: target, source. variant: Combination.
void copyToGlobal(Warp &warp, const Instruction &in, Mask mask) {
  for (Mask rest = mask; rest; rest &= rest - 1) {
    Site site{warp, in, firstLane(rest)};
    uint64_t to = warp.addressOf(in.address[0], site.lane), from = warp.addressOf(in.address[1], site.lane);
    uint64_t bytes = warp.word(in.from[0])[site.lane];
    checkRange(site, to, from, bytes);
    checkAsyncSource(site, warp.cta, from, bytes);
    std::byte *target = writable(site, Space::global, to, bytes);
    LaunchReport &report = warp.cta.counters().report;
    report.asyncBytes += bytes;
    report.globalStoreBytes += bytes;
    report.globalStoreSectors += sectors(to, bytes);
    auto taken = std::make_shared<Bytes>(bytes);
    startGroupedCopy(
        site, from, bytes, [=, &warp] { std::memcpy(taken->data(), warp.cta.shared.data() + from, bytes); },
        [=, combination = Combination(in.variant), type = in.type] {
          combine(combination, type, target, taken->data(), bytes);
        });
  }
}

void decodeForm(Decoding &d, bool reduces) {
  // The first space is the target's.
  std::string_view target = d.takeNext(), source = d.takeNext();
  bool toGlobal = target == "global", fromGlobal = source == "global";
  if ((!toGlobal && target != "shared::cluster" && target != "shared::cta") ||
      (!fromGlobal && source != "shared::cta") || (toGlobal && fromGlobal) || (reduces && fromGlobal))
    d.fail("copies between .global and .shared");
  if (!d.take(toGlobal ? "bulk_group" : "mbarrier::complete_tx::bytes"))
    d.fail(toGlobal ? "completes a .bulk_group" : "completes .mbarrier::complete_tx::bytes");
  bool multicast = d.take("multicast::cluster"), policy = d.take("L2::cache_hint");
  if (multicast && !fromGlobal)
    d.fail("is not sent from shared memory to several CTAs");
  if (reduces) {
    auto combination = takeCombination(d);
    d.take("noftz");
    d.in.variant = uint8_t(combination);
    d.in.type = d.takeType();
    if (!combines(combination, d.in.type))
      d.fail(fmt::format("does not reduce .{} so", nameOf(d.in.type)));
    d.kernel.needsOrder |= toGlobal;
  }
  d.expectOperands((toGlobal ? 3 : 4) + multicast + policy);
  d.address(0, 0, toGlobal ? Space::global : Space::shared);
  d.address(1, 1, fromGlobal ? Space::global : Space::shared);
  d.from(2, Type::u32);
  if (!toGlobal)
    d.address(3, 2, Space::shared);
  if (multicast)
    d.from(4, Type::b16);
  if (policy)
    d.from(d.operands() - 1, Type::b64);
  d.in.flag = multicast;
  d.in.flag2 = !fromGlobal;
  prepareForBulkCopies(d.kernel);
  d.countAs(reduces ? "cp.reduce.async.bulk" : "cp.async.bulk");
  d.run(toGlobal ? copyToGlobal : copyToShared);
}

void decodeCopy(Decoding &d) { decodeForm(d, false); }
void decodeReduce(Decoding &d) { decodeForm(d, true); }

void nothing(Warp &, const Instruction &, Mask) {}
void decodePrefetch(Decoding &d) {
  if (!d.take("L2") || !d.take("global"))
    d.fail("exists as .L2.global");
  bool policy = d.take("L2::cache_hint");
  d.expectOperands(2 + policy);
  d.address(0, 0, Space::global);
  d.from(1, Type::u32);
  if (policy)
    d.from(2, Type::b64);
  d.run(nothing);
}

constexpr Rule rules[] = {
    {"cp.async.bulk", decodeCopy}, {"cp.reduce.async.bulk", decodeReduce}, {"cp.async.bulk.prefetch", decodePrefetch}};

} // namespace

Rules bulkCopyRules() { return rules; }

} // namespace tercet::sim
