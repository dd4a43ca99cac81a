// Allocations in a map by address; a gap of one page behind each.
#include "tercet/sim/Memory.h"

#include <fmt/format.h>

#include <cstring>

namespace tercet::sim {

namespace {
constexpr uint64_t page = 4096;
}

uint64_t Memory::place(uint64_t bytes, std::string name, uint32_t misalignment, std::byte *host) {
  uint64_t address = next + misalignment;
  next = (address + bytes + 2 * page - 1) / page * page;
  allocations[address] = {address, bytes, host, std::move(name)};
  return address;
}

uint64_t Memory::allocate(uint64_t bytes, std::string name, uint32_t misalignment) {
  auto storage = std::make_unique<std::byte[]>(bytes ? bytes : 1);
  std::memset(storage.get(), 0xff, bytes);
  uint64_t address = place(bytes, std::move(name), misalignment, storage.get());
  owned[address] = std::move(storage);
  return address;
}

uint64_t Memory::adopt(std::span<std::byte> bytes, std::string name) {
  return place(bytes.size(), std::move(name), 0, bytes.data());
}

Status Memory::free(uint64_t address) {
  if (!allocations.erase(address))
    return Status::make(Code::invalidArgument, "{:#x} is not the start of an allocation: {}", address,
                        describe(address));
  owned.erase(address);
  return {};
}

const Memory::Allocation *Memory::find(uint64_t address, uint64_t bytes) const {
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin())
    return nullptr;
  const Allocation &candidate = std::prev(after)->second;
  return candidate.holds(address, bytes) ? &candidate : nullptr;
}

Status Memory::write(uint64_t address, std::span<const std::byte> bytes) {
  const Allocation *target = find(address, bytes.size());
  if (!target)
    return Status::make(Code::invalidArgument, "{} bytes at {:#x} lie outside of every allocation: {}", bytes.size(),
                        address, describe(address));
  std::memcpy(target->host + (address - target->address), bytes.data(), bytes.size());
  return {};
}

Status Memory::read(uint64_t address, std::span<std::byte> bytes) const {
  const Allocation *source = find(address, bytes.size());
  if (!source)
    return Status::make(Code::invalidArgument, "{} bytes at {:#x} lie outside of every allocation: {}", bytes.size(),
                        address, describe(address));
  std::memcpy(bytes.data(), source->host + (address - source->address), bytes.size());
  return {};
}

std::string Memory::describe(uint64_t address) const {
  auto after = allocations.upper_bound(address);
  auto text = [](const Allocation &a) {
    return fmt::format("allocation '{}' of {} bytes at {:#x}", a.name, a.bytes, a.address);
  };
  if (after != allocations.begin()) {
    const Allocation &before = std::prev(after)->second;
    if (address < before.address + before.bytes)
      return fmt::format("{} bytes before the end of {}", before.address + before.bytes - address, text(before));
    uint64_t past = address - before.address - before.bytes;
    if (after == allocations.end() || past <= after->second.address - address)
      return fmt::format("{} bytes past the end of {}", past, text(before));
  }
  if (after != allocations.end())
    return fmt::format("{} bytes before {}", after->second.address - address, text(after->second));
  return "there is none";
}

} // namespace tercet::sim
