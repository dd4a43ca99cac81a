// One access function per direction; both find the bytes in the same way.
#include "core/AddressSpace.h"

#include "core/Cta.h"

#include <fmt/format.h>

namespace tercet::sim {

namespace {

bool inside(uint64_t offset, uint64_t bytes, uint64_t size) { return offset <= size && bytes <= size - offset; }

[[noreturn]] void failOutside(const Site &site, std::string_view what, uint64_t offset, uint64_t bytes, uint64_t size) {
  site.fail(fmt::format("{} bytes at offset {} lie outside of the {} bytes of {}", bytes, offset, size, what));
}

std::byte *globalBytes(const Site &site, uint64_t address, uint64_t bytes) {
  Cta &cta = site.warp.cta;
  if (cta.lastAllocation && cta.lastAllocation->holds(address, bytes))
    return cta.lastAllocation->host + (address - cta.lastAllocation->address);
  LaunchContext &context = cta.context();
  if (const Memory::Allocation *found = context.memory.find(address, bytes)) {
    cta.lastAllocation = found;
    return found->host + (address - found->address);
  }
  if (window::of(address) == window::module) {
    uint64_t offset = address - window::module;
    if (!inside(offset, bytes, context.moduleImage.size()))
      failOutside(site, "the module's variables", offset, bytes, context.moduleImage.size());
    return context.moduleImage.data() + offset;
  }
  site.fail(fmt::format("{} bytes at global address {:#x} lie outside of every allocation: {}", bytes, address,
                        context.memory.describe(address)));
}

std::byte *localBytes(const Site &site, uint64_t address, uint64_t bytes) {
  auto local = site.warp.cta.localOf(site.warp, site.lane);
  if (!inside(address, bytes, local.size()))
    failOutside(site, "the thread's local memory", address, bytes, local.size());
  return local.data() + address;
}

} // namespace

Space resolveGeneric(uint64_t &address) {
  Space space = Space::global;
  switch (window::of(address)) {
  case window::shared:
    space = Space::shared;
    break;
  case window::local:
    space = Space::local;
    break;
  case window::param:
    space = Space::param;
    break;
  case window::constant:
    space = Space::constant;
    break;
  default:
    return space;
  }
  address -= window::of(address);
  return space;
}

uint64_t windowOf(Space space) {
  switch (space) {
  case Space::shared:
    return window::shared;
  case Space::local:
    return window::local;
  case Space::param:
    return window::param;
  case Space::constant:
    return window::constant;
  default:
    return 0;
  }
}

Cta &sharedOwner(const Site &site, uint64_t &address) {
  Cta &cta = site.warp.cta;
  if (address < sharedWindowOfCta)
    return cta;
  uint64_t rank = address / sharedWindowOfCta - 1;
  if (cta.cluster().size() == 1)
    site.fail(fmt::format("shared address {:#x} lies outside of the CTA's {} bytes", address, cta.shared.size()));
  if (rank >= cta.cluster().size())
    site.fail(
        fmt::format("shared address {:#x} is of CTA {} of a cluster that has {}", address, rank, cta.cluster().size()));
  address %= sharedWindowOfCta;
  return cta.cluster().cta(rank);
}

const std::byte *readable(const Site &site, Space space, uint64_t address, uint64_t bytes) {
  if (space == Space::generic)
    space = resolveGeneric(address);
  switch (space) {
  case Space::shared: {
    Cta &owner = sharedOwner(site, address);
    return owner.shared.readable(site, address, bytes);
  }
  case Space::local:
    return localBytes(site, address, bytes);
  case Space::param: {
    auto parameters = site.warp.cta.context().parameters;
    if (!inside(address, bytes, parameters.size()))
      failOutside(site, "the kernel's parameters", address, bytes, parameters.size());
    return parameters.data() + address;
  }
  case Space::constant: {
    const auto &image = site.warp.cta.program().constantImage;
    if (!inside(address, bytes, image.size()))
      failOutside(site, "the module's constants", address, bytes, image.size());
    return image.data() + address;
  }
  default:
    return globalBytes(site, address, bytes);
  }
}

std::byte *writable(const Site &site, Space space, uint64_t address, uint64_t bytes) {
  if (space == Space::generic)
    space = resolveGeneric(address);
  switch (space) {
  case Space::shared: {
    Cta &owner = sharedOwner(site, address);
    return owner.shared.writable(site, address, bytes);
  }
  case Space::local:
    return localBytes(site, address, bytes);
  case Space::param:
  case Space::constant:
    site.fail(fmt::format("writes .{} memory, which cannot be written", nameOf(space)));
  default:
    return globalBytes(site, address, bytes);
  }
}

std::byte *updatable(const Site &site, Space space, uint64_t address, uint64_t bytes) {
  if (space == Space::generic)
    space = resolveGeneric(address);
  if (space != Space::shared)
    return writable(site, space, address, bytes);
  Cta &owner = sharedOwner(site, address);
  return owner.shared.updatable(site, address, bytes);
}

} // namespace tercet::sim
