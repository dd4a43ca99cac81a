// Memory: the simulated device's global memory, as allocations with exact bounds.
#pragma once

#include "tercet/Status.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace tercet::sim {

/// Addresses are the simulated device's own, not the host's, and the same in every run: allocations lie 4 KiB apart with
/// nothing in between, so that a kernel that leaves its tensor is seen at the first byte.
/// One thread changes the set of allocations; launches on other threads may use them meanwhile only if it does not.
class Memory {
public:
  struct Allocation {
    uint64_t address = 0;
    uint64_t bytes = 0;
    std::byte *host = nullptr;
    std::string name;

    bool holds(uint64_t at, uint64_t count) const {
      return at >= address && count <= bytes && at - address <= bytes - count;
    }
  };

  /// `bytes` bytes, all 0xff (NaN in every float type), at a 256-byte aligned address plus `misalignment`.
  uint64_t allocate(uint64_t bytes, std::string name = {}, uint32_t misalignment = 0);
  /// The caller's own bytes under an address of the device; they are borrowed until freed.
  uint64_t adopt(std::span<std::byte> bytes, std::string name = {});
  /// invalidArgument unless `address` is the start of an allocation.
  Status free(uint64_t address);

  Status write(uint64_t address, std::span<const std::byte> bytes);
  Status read(uint64_t address, std::span<std::byte> bytes) const;

  /// The allocation that holds these bytes whole, or null.
  const Allocation *find(uint64_t address, uint64_t bytes) const;
  /// "4 bytes after allocation 'k' of 1024 bytes at 0x...": where an address lies, for messages.
  std::string describe(uint64_t address) const;

private:
  uint64_t place(uint64_t bytes, std::string name, uint32_t misalignment, std::byte *host);

  std::map<uint64_t, Allocation> allocations;
  std::map<uint64_t, std::unique_ptr<std::byte[]>> owned;
  uint64_t next = uint64_t{0x7000} << 32;
};

} // namespace tercet::sim
