// From an address of PTX to bytes of the host, with every check on the way.
#pragma once

#include "core/Program.h"

#include <cstddef>
#include <cstdint>

namespace tercet::sim {

struct Site;
class Cta;

/// [address, address + bytes) in `space`, for an access by the site's lane. Fails the site when any byte lies outside of
/// an allocation or variable, may not be written, or (shared memory) was not written before it is read.
const std::byte *readable(const Site &site, Space space, uint64_t address, uint64_t bytes);
std::byte *writable(const Site &site, Space space, uint64_t address, uint64_t bytes);
/// For an atomic update, which reads and writes.
std::byte *updatable(const Site &site, Space space, uint64_t address, uint64_t bytes);

/// Shared addresses below 2^24 are the CTA's own; above, the CTA of rank (address >> 24) - 1 of its cluster.
constexpr uint64_t sharedWindowOfCta = uint64_t{1} << 24;
/// The CTA whose shared memory holds the address; `address` becomes an offset in it. Fails the site when there is none.
Cta &sharedOwner(const Site &site, uint64_t &address);

/// The space that a generic address lies in; `address` becomes an address of that space.
Space resolveGeneric(uint64_t &address);
/// The start of a space's window, 0 for global.
uint64_t windowOf(Space space);

} // namespace tercet::sim
