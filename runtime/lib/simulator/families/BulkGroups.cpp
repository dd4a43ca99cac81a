// cp.async.bulk.commit_group and wait_group, and the checks that all bulk copies share.
#include "families/BulkGroups.h"

#include "core/MBarriers.h"
#include "core/Proxies.h"
#include "families/Families.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

namespace tercet::sim {

namespace {

struct GroupedCopy {
  int lane = 0;
  uint64_t group = 0;
  uint64_t offset = 0, bytes = 0;
  Effects::Number read = 0, write = 0;
  bool wasRead = false;
  uint32_t line = 0;
};
struct BulkGroups {
  std::vector<GroupedCopy> copies;
  std::array<uint64_t, warpLanes> committed{};
};

void finishRead(const Site &site, GroupedCopy &copy) {
  if (copy.wasRead)
    return;
  Cta &cta = site.warp.cta;
  cta.effects().land(copy.read);
  cta.state.get<Proxies>().endRead(copy.offset, copy.bytes);
  if (Races *races = cta.races())
    races->read(site, cta.shared, copy.offset, copy.bytes);
  copy.wasRead = true;
}

void commit(Warp &warp, const Instruction &, Mask mask) {
  auto &committed = warp.state.get<BulkGroups>().committed;
  for (; mask; mask &= mask - 1)
    ++committed[size_t(firstLane(mask))];
}

// immediate: groups that may be left. flag: only their reading is waited for.
void wait(Warp &warp, const Instruction &in, Mask mask) {
  BulkGroups &groups = warp.state.get<BulkGroups>();
  auto waited = [&](const GroupedCopy &copy) {
    return (mask >> copy.lane & 1) && copy.group + uint64_t(in.immediate) < groups.committed[size_t(copy.lane)];
  };
  for (GroupedCopy &copy : groups.copies)
    if (waited(copy)) {
      finishRead({warp, in, copy.lane}, copy);
      if (!in.flag)
        warp.cta.effects().land(copy.write);
    }
  if (!in.flag)
    std::erase_if(groups.copies, waited);
}

void checkExit(Warp &warp, const Instruction &in, Mask mask) {
  BulkGroups *groups = warp.state.find<BulkGroups>();
  if (!groups)
    return;
  for (const GroupedCopy &copy : groups->copies)
    if ((mask >> copy.lane & 1) && !copy.wasRead)
      Site{warp, in, copy.lane}.fail(fmt::format(
          "exits while the bulk copy of line {} may still read shared memory (no wait_group since)", copy.line));
}

void decodeCommit(Decoding &d) {
  d.expectOperands(0);
  d.countAs("cp.async.bulk.commit_group");
  d.run(commit);
}
void decodeWait(Decoding &d) {
  d.in.flag = d.take("read");
  d.expectOperands(1);
  d.in.immediate = d.immediate(0);
  if (d.in.immediate < 0)
    d.fail("waits for a negative number of groups");
  prepareForBulkCopies(d.kernel);
  d.countAs("cp.async.bulk.wait_group");
  d.run(wait);
}

constexpr Rule rules[] = {{"cp.async.bulk.commit_group", decodeCommit}, {"cp.async.bulk.wait_group", decodeWait}};

} // namespace

void prepareForBulkCopies(Kernel &kernel) {
  Kernel::addOnce(kernel.atStart, &Proxies::attach);
  Kernel::addOnce<Handler>(kernel.atExit, checkExit);
}

void startGroupedCopy(const Site &site, uint64_t offset, uint64_t bytes, std::function<void()> read,
                      std::function<void()> write) {
  Cta &cta = site.warp.cta;
  BulkGroups &groups = site.warp.state.get<BulkGroups>();
  cta.state.get<Proxies>().beginRead(offset, bytes);
  GroupedCopy copy;
  copy.lane = site.lane;
  copy.group = groups.committed[size_t(site.lane)];
  copy.offset = offset;
  copy.bytes = bytes;
  copy.line = site.in.line;
  Effects &effects = cta.effects();
  copy.read = effects.post(std::move(read));
  copy.write = effects.post([&effects, number = copy.read, write = std::move(write)] {
    effects.land(number);
    write();
  });
  groups.copies.push_back(copy);
}

void checkAsyncSource(const Site &site, Cta &cta, uint64_t offset, uint64_t bytes) {
  cta.shared.readable(site, offset, bytes);
  cta.state.get<Proxies>().checkFenced(site, offset, bytes);
}

void checkAsyncTarget(const Site &site, Cta &cta, uint64_t offset, uint64_t bytes) {
  if (offset > cta.shared.size() || bytes > cta.shared.size() - offset)
    site.fail(fmt::format("{} bytes at shared address {:#x} lie outside of the CTA's {} bytes", bytes, offset,
                          cta.shared.size()));
  cta.state.get<MBarriers>().checkOverlap(site, offset, bytes, "copies into");
  const Proxies &proxies = cta.state.get<Proxies>();
  proxies.checkUnread(site, offset, bytes, "copies into");
  proxies.checkFenced(site, offset, bytes);
  if (Races *races = site.warp.cta.races())
    races->checkWrite(site, cta.shared, offset, bytes);
  cta.shared.setInFlight(site, offset, bytes);
}

void checkCopyBarrier(const Site &site, Cta &cta, uint64_t barrier) {
  if (barrier % MBarriers::bytesOfOne)
    site.fail(fmt::format("completes an mbarrier at shared address {:#x}, which is not a multiple of {}", barrier,
                          MBarriers::bytesOfOne));
  if (!cta.state.get<MBarriers>().at(site, cta.shared, barrier).visible)
    site.fail("completes an mbarrier whose maker has not published it (fence.mbarrier_init or fence.proxy.async)");
}

void landInShared(const Site &site, Cta &cta, uint64_t barrier, uint64_t offset, uint64_t bytes) {
  if (!cta.aliveThreads())
    site.fail("copies into the shared memory of a CTA, which has ended before the copy landed: nobody waited for it");
  MBarriers &barriers = cta.state.get<MBarriers>();
  auto *target = const_cast<MBarrier *>(barriers.find(barrier));
  if (!target)
    site.fail("completes an mbarrier that has been invalidated before the copy landed");
  cta.shared.setArrived(offset, bytes);
  if (Races *races = site.warp.cta.races())
    races->landed(uint32_t(barrier / MBarriers::bytesOfOne), cta.shared, offset, bytes, target->gathering);
  barriers.complete(site, *target, bytes);
}

Rules bulkGroupRules() { return rules; }

} // namespace tercet::sim
