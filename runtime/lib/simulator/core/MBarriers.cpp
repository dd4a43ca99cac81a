// Arrivals and bytes are counted as PTX defines them; every count that PTX forbids is a violation.
#include "core/MBarriers.h"

#include "core/Cta.h"

#include <fmt/format.h>

#include <algorithm>

namespace tercet::sim {

void MBarriers::initialise(const Site &site, SharedMemory &memory, uint64_t offset, uint64_t count) {
  if (count < 1 || count > mostArrivals)
    site.fail(fmt::format("initialises an mbarrier for {} arrivals; it takes 1 to {}", count, mostArrivals));
  if (auto known = barriers.find(offset); known != barriers.end())
    site.fail(fmt::format("initialises the mbarrier at shared address {:#x}, which line {} did already", offset,
                          known->second.line));
  memory.writable(site, offset, bytesOfOne);
  if (barriers.empty())
    memory.observe(*this);
  MBarrier &barrier = barriers[offset];
  barrier.expected = barrier.pending = uint32_t(count);
  barrier.maker = site.warp.index;
  barrier.line = site.in.line;
  lowest = std::min(lowest, offset);
  end = std::max(end, offset + bytesOfOne);
}

void MBarriers::invalidate(const Site &site, uint64_t offset) {
  if (!barriers.erase(offset))
    site.fail(fmt::format("invalidates shared address {:#x}, where no mbarrier is", offset));
}

const MBarrier *MBarriers::find(uint64_t offset) const {
  auto found = barriers.find(offset);
  return found == barriers.end() ? nullptr : &found->second;
}

MBarrier &MBarriers::at(const Site &site, SharedMemory &memory, uint64_t offset) {
  auto found = barriers.find(offset);
  if (found == barriers.end())
    site.fail(fmt::format("uses shared address {:#x} as an mbarrier; none was initialised there", offset));
  if (Races *races = site.warp.cta.races())
    races->update(site, memory, offset, bytesOfOne);
  return found->second;
}

void MBarriers::arrive(const Site &site, MBarrier &barrier, uint64_t count, bool leaves) {
  if (count < 1 || count > barrier.pending)
    site.fail(fmt::format("arrives {} times at an mbarrier whose phase {} takes {} more of {} arrivals", count,
                          barrier.phase, barrier.pending, barrier.expected));
  if (Races *races = site.warp.cta.races())
    races->release(site.warp, barrier.gathering);
  barrier.pending -= uint32_t(count);
  if (leaves)
    barrier.expected -= uint32_t(count);
  advance(barrier);
}

void MBarriers::announce(const Site &site, MBarrier &barrier, uint64_t bytes) {
  barrier.bytes += int64_t(std::min(bytes, uint64_t{1} << 32));
  if (barrier.bytes > mostBytes)
    site.fail(
        fmt::format("announces {} bytes, which makes {}; an mbarrier counts to {}", bytes, barrier.bytes, mostBytes));
}

void MBarriers::complete(const Site &site, MBarrier &barrier, uint64_t bytes) {
  barrier.bytes -= int64_t(bytes);
  if (barrier.bytes < -mostBytes)
    site.fail(fmt::format("brings {} bytes that no thread announced", bytes));
  advance(barrier);
}

void MBarriers::advance(MBarrier &barrier) {
  if (barrier.pending || barrier.bytes)
    return;
  ++barrier.phase;
  barrier.pending = barrier.expected;
  barrier.completed = std::move(barrier.gathering);
  barrier.gathering.clear();
}

void MBarriers::publish(uint32_t warp) {
  for (auto &[offset, barrier] : barriers)
    barrier.visible |= barrier.maker == warp;
}

void MBarriers::checkOverlap(const Site &site, uint64_t offset, uint64_t count, const char *access) const {
  if (offset >= end || offset + count <= lowest)
    return;
  for (const auto &[at, barrier] : barriers)
    if (offset < at + bytesOfOne && at < offset + count)
      site.fail(fmt::format("{} shared address {:#x}, which belongs to the mbarrier initialised at line {}", access,
                            std::max(offset, at), barrier.line));
}

std::string MBarriers::describe(uint64_t offset) const {
  const MBarrier *barrier = find(offset);
  if (!barrier)
    return "which is none any more";
  std::string bytes;
  if (barrier->bytes > 0)
    bytes = fmt::format(" and {} bytes", barrier->bytes);
  else if (barrier->bytes < 0)
    bytes = fmt::format(", with {} bytes more than announced", -barrier->bytes);
  return fmt::format("in phase {}, where {} of {} arrivals{} are missing", barrier->phase, barrier->pending,
                     barrier->expected, bytes);
}

void MBarriers::read(const Site &site, SharedMemory &, uint64_t offset, uint64_t count) {
  checkOverlap(site, offset, count, "reads");
}
void MBarriers::write(const Site &site, SharedMemory &, uint64_t offset, uint64_t count) {
  checkOverlap(site, offset, count, "writes");
}

} // namespace tercet::sim
