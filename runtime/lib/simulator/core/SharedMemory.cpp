// States are kept per byte, so that two warps that fill one word by halves are seen as they are.
#include "core/SharedMemory.h"

#include "core/Warp.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace tercet::sim {

void SharedMemory::reset(uint64_t size, bool tracked) {
  bytes.assign(size, std::byte{0xff});
  states.assign(tracked ? size : 0, unwritten);
  observers.clear();
}

void SharedMemory::checkBounds(const Site &site, uint64_t offset, uint64_t count) const {
  if (offset > bytes.size() || count > bytes.size() - offset)
    site.fail(
        fmt::format("{} bytes at shared address {:#x} lie outside of the CTA's {} bytes", count, offset, bytes.size()));
}

void SharedMemory::failState(const Site &site, uint64_t offset, uint64_t count, const char *access) const {
  auto begin = states.begin() + ptrdiff_t(offset), end = begin + ptrdiff_t(count);
  if (auto found = std::find(begin, end, inFlight); found != end)
    site.fail(fmt::format("{} shared address {:#x}, into which an asynchronous copy has not been waited for", access,
                          found - states.begin()));
  site.fail(fmt::format("{} shared address {:#x}, which nobody has written", access,
                        std::find(begin, end, unwritten) - states.begin()));
}

namespace {

// Whether f(eight states at once) holds for all of them; a shorter rest is filled up with `filler`.
template <typename F> bool allStates(const uint8_t *state, uint64_t count, uint8_t filler, F f) {
  for (; count >= 8; state += 8, count -= 8) {
    uint64_t eight;
    std::memcpy(&eight, state, 8);
    if (!f(eight))
      return false;
  }
  uint64_t eight = filler * 0x0101010101010101u;
  std::memcpy(&eight, state, count);
  return f(eight);
}

} // namespace

bool SharedMemory::anyInFlight(const uint8_t *state, uint64_t count) {
  static_assert(inFlight == 2);
  return !allStates(state, count, written, [](uint64_t eight) { return (eight & 0x0202020202020202u) == 0; });
}

void SharedMemory::checkWritten(const Site &site, uint64_t offset, uint64_t count) const {
  if (states.empty())
    return;
  const uint8_t *state = states.data() + offset;
  if (!allStates(state, count, written, [](uint64_t eight) { return eight == written * 0x0101010101010101u; }))
    failState(site, offset, count, "reads");
}

void SharedMemory::setWritten(const Site &site, uint64_t offset, uint64_t count) {
  if (states.empty())
    return;
  uint8_t *state = states.data() + offset;
  if (anyInFlight(state, count))
    failState(site, offset, count, "writes");
  std::memset(state, written, count);
}

const std::byte *SharedMemory::readable(const Site &site, uint64_t offset, uint64_t count) {
  checkBounds(site, offset, count);
  checkWritten(site, offset, count);
  for (SharedObserver *observer : observers)
    observer->read(site, *this, offset, count);
  return bytes.data() + offset;
}

std::byte *SharedMemory::writable(const Site &site, uint64_t offset, uint64_t count) {
  checkBounds(site, offset, count);
  setWritten(site, offset, count);
  for (SharedObserver *observer : observers)
    observer->write(site, *this, offset, count);
  return bytes.data() + offset;
}

std::byte *SharedMemory::updatable(const Site &site, uint64_t offset, uint64_t count) {
  checkBounds(site, offset, count);
  checkWritten(site, offset, count);
  setWritten(site, offset, count);
  for (SharedObserver *observer : observers)
    observer->update(site, *this, offset, count);
  return bytes.data() + offset;
}

void SharedMemory::setInFlight(const Site &site, uint64_t offset, uint64_t count) {
  if (states.empty())
    return;
  uint8_t *state = states.data() + offset;
  if (anyInFlight(state, count))
    site.fail(
        fmt::format("copies into shared address {:#x}, into which an earlier copy has not been waited for", offset));
  std::memset(state, inFlight, count);
}

void SharedMemory::setArrived(uint64_t offset, uint64_t count) {
  if (!states.empty())
    std::memset(states.data() + offset, written, count);
}

void SharedMemory::setArrived(const Site &site, uint64_t offset, uint64_t count) {
  setArrived(offset, count);
  for (SharedObserver *observer : observers)
    observer->write(site, *this, offset, count);
}

} // namespace tercet::sim
