// cp.async: copies of 4, 8 or 16 bytes from global to shared memory that arrive by the time their thread waits for them.
//
// Groups are counted per thread, as on hardware. Bytes count as in flight from issue until the thread's wait, whenever they
// land (Landing), so that a read in between is found in every mode.
#include "core/AddressSpace.h"
#include "core/Cta.h"
#include "core/Traffic.h"
#include "families/Families.h"
#include "families/SharedTarget.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace tercet::sim {

namespace {

// One instruction of a warp: what its lanes copy.
struct Copy {
  Mask pending = 0;    ///< lanes that have not waited for it
  bool landed = false; ///< bytes were moved at issue
  uint64_t number = 0;
  uint32_t bytes = 0;
  std::array<uint32_t, 32> group{}; ///< of the lane
  std::array<uint32_t, 32> sourceBytes{};
  std::array<uint64_t, 32> to{};
  std::array<const std::byte *, 32> from{};
};

struct AsyncCopies {
  std::vector<Copy> copies;
  uint64_t issued = 0;                  ///< numbers the copies
  std::array<uint32_t, 32> committed{}; ///< groups of the lane so far
};

void move(SharedMemory &shared, const Copy &copy, int lane) {
  std::byte *to = shared.data() + copy.to[size_t(lane)];
  uint32_t count = copy.sourceBytes[size_t(lane)];
  if (count)
    std::memcpy(to, copy.from[size_t(lane)], count);
  std::memset(to + count, 0, copy.bytes - count);
}

// immediate: bytes. flag: a source gives the bytes to read (or, flag2, a predicate says to read none).
void copyAsync(Warp &warp, const Instruction &in, Mask mask) {
  Cta &cta = warp.cta;
  AsyncCopies &state = warp.state.get<AsyncCopies>();
  Copy copy;
  copy.pending = mask;
  copy.bytes = uint32_t(in.immediate);
  Landing landing = cta.config().landing;
  copy.landed = landing == Landing::atIssue || (landing == Landing::seeded && cta.cluster().random.below(2));
  LaneAddresses sources{};
  uint64_t read = 0;
  Mask reading = 0;
  for (Mask rest = mask; rest; rest &= rest - 1) {
    int l = firstLane(rest);
    size_t lane = size_t(l);
    Site site{warp, in, l};
    uint64_t to = warp.addressOf(in.address[0], l), from = sources[lane] = warp.addressOf(in.address[1], l);
    if (to % copy.bytes || from % copy.bytes)
      site.fail(fmt::format("copies {} bytes from {:#x} to shared {:#x}, which are not both multiples of {}",
                            copy.bytes, from, to, copy.bytes));
    uint32_t count = copy.bytes;
    if (in.flag)
      count = in.flag2 ? (warp.predicate(in.from[0]) >> l & 1 ? 0 : count) : warp.word(in.from[0])[l];
    if (count > copy.bytes)
      site.fail(fmt::format("reads {} bytes of a copy of {}", count, copy.bytes));
    if (to > cta.shared.size() || copy.bytes > cta.shared.size() - to)
      site.fail(fmt::format("{} bytes at shared address {:#x} lie outside of the CTA's {} bytes", copy.bytes, to,
                            cta.shared.size()));
    copy.from[lane] = count ? readable(site, Space::global, from, count) : nullptr;
    copy.to[lane] = to;
    copy.sourceBytes[lane] = count;
    copy.group[lane] = state.committed[lane];
    read += count;
    reading |= Mask(count > 0) << l;
    cta.shared.setInFlight(site, to, copy.bytes);
    if (Races *races = cta.races())
      races->checkWrite(site, cta.shared, to, copy.bytes);
    if (copy.landed)
      move(cta.shared, copy, l);
  }
  LaunchReport &report = cta.counters().report;
  report.asyncBytes += read;
  report.globalLoadBytes += read;
  report.globalLoadSectors += countSectors(sources, reading, copy.bytes);
  copy.number = state.issued++;
  state.copies.push_back(copy);
}

// Copies of the lane's groups below `end` arrive.
void arrive(Warp &warp, const Instruction &in, Mask mask, uint32_t groupsLeft, bool uncommitted) {
  AsyncCopies &state = warp.state.get<AsyncCopies>();
  SharedMemory &shared = warp.cta.shared;
  for (Copy &copy : state.copies) {
    for (Mask rest = copy.pending & mask; rest; rest &= rest - 1) {
      int l = firstLane(rest);
      size_t lane = size_t(l);
      if (!uncommitted && uint64_t{copy.group[lane]} + groupsLeft >= state.committed[lane])
        continue;
      if (!copy.landed)
        move(shared, copy, l);
      shared.setArrived(Site{warp, in, l}, copy.to[lane], copy.bytes);
      copy.pending &= ~(Mask{1} << l);
    }
  }
  std::erase_if(state.copies, [](const Copy &copy) { return !copy.pending; });
}

// The lanes of `mask` arrive at an mbarrier when all copies that they issued before have arrived. flag: the arrival is one of those
// that the barrier counts (.noinc); else the phase takes one more.
void arriveWhenCopied(Warp &warp, const Instruction &in, Mask mask) {
  AsyncCopies &state = warp.state.get<AsyncCopies>();
  for (Mask rest = mask; rest; rest &= rest - 1) {
    Site site{warp, in, firstLane(rest)};
    SharedTarget target = sharedTarget(site, in.space, warp.addressOf(in.address[0], site.lane));
    MBarrier &barrier = target.barriers().at(site, target.cta->shared, target.offset);
    if (!in.flag)
      ++barrier.pending;
    warp.cta.effects().post([=, &state, end = state.issued] {
      SharedMemory &shared = site.warp.cta.shared;
      Mask self = Mask{1} << site.lane;
      for (Copy &copy : state.copies)
        if ((copy.pending & self) && copy.number < end) {
          if (!copy.landed)
            move(shared, copy, site.lane);
          shared.setArrived(site, copy.to[size_t(site.lane)], copy.bytes);
          copy.pending &= ~self;
        }
      target.barriers().arrive(site, target.barriers().at(site, target.cta->shared, target.offset), 1);
    });
  }
}

void commitGroup(Warp &warp, const Instruction &, Mask mask) {
  auto &committed = warp.state.get<AsyncCopies>().committed;
  for (; mask; mask &= mask - 1)
    ++committed[size_t(firstLane(mask))];
}
void waitGroup(Warp &warp, const Instruction &in, Mask mask) { arrive(warp, in, mask, uint32_t(in.immediate), false); }
void waitAll(Warp &warp, const Instruction &in, Mask mask) { arrive(warp, in, mask, 0, true); }

void decodeCopy(Decoding &d) {
  bool bypass = d.takeNeeded<bool>({{"cg", true}, {"ca", false}}, "cache operator");
  if (!(d.take("shared") || d.take("shared::cta")) || !d.take("global"))
    d.fail("copies from .global to .shared");
  bool policy = d.take("L2::cache_hint");
  d.takeHints();
  d.expectOperands(3, 5);
  d.address(0, 0, Space::shared);
  d.address(1, 1, Space::global);
  d.in.immediate = d.immediate(2);
  if (d.in.immediate != 16 && (bypass || (d.in.immediate != 4 && d.in.immediate != 8)))
    d.fail(fmt::format("does not copy {} bytes", d.in.immediate));
  size_t extra = d.operands() - (policy ? 1 : 0);
  if (extra > 3) {
    bool predicate = d.isPredicate(3);
    d.from(3, predicate ? Type::pred : Type::u32);
    d.in.flag = true;
    d.in.flag2 = predicate;
  }
  if (policy)
    d.from(d.operands() - 1, Type::b64);
  d.countAs("cp.async");
  d.run(copyAsync);
}
void decodeCommit(Decoding &d) {
  d.expectOperands(0);
  d.countAs("cp.async.commit_group");
  d.run(commitGroup);
}
void decodeWait(Decoding &d) {
  d.expectOperands(1);
  d.in.immediate = d.immediate(0);
  if (d.in.immediate < 0)
    d.fail("waits for a negative number of groups");
  d.countAs("cp.async.wait_group");
  d.run(waitGroup);
}
void decodeWaitAll(Decoding &d) {
  d.expectOperands(0);
  d.countAs("cp.async.wait_all");
  d.run(waitAll);
}

void decodeArrive(Decoding &d) {
  d.in.flag = d.take("noinc");
  d.in.space = d.take("shared") || d.take("shared::cta") ? Space::shared : Space::generic;
  if (!d.take("b64"))
    d.fail("is of .b64");
  d.expectOperands(1);
  d.address(0, 0, d.in.space);
  d.run(arriveWhenCopied);
}

constexpr Rule rules[] = {
    {"cp.async", decodeCopy},
    {"cp.async.mbarrier.arrive", decodeArrive},
    {"cp.async.commit_group", decodeCommit},
    {"cp.async.wait_group", decodeWait},
    {"cp.async.wait_all", decodeWaitAll},
};

} // namespace

Rules asyncCopyRules() { return rules; }

} // namespace tercet::sim
