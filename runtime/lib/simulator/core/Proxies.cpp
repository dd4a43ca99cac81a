// One record per 16 bytes, the finest that the asynchronous proxy addresses.
#include "core/Proxies.h"

#include "core/Cta.h"

#include <fmt/format.h>

namespace tercet::sim {

void Proxies::start(Cta &cta) {
  granules.assign((cta.shared.size() + granule - 1) / granule, Granule{});
  epoch = 1;
  cta.shared.observe(*this);
}

void Proxies::attach(Cta &cta) { cta.state.get<Proxies>().start(cta); }

void Proxies::write(const Site &site, SharedMemory &, uint64_t offset, uint64_t count) {
  checkUnread(site, offset, count, "writes");
  Races *races = site.warp.cta.races();
  Granule now{epoch, 0, uint16_t(site.in.line < 65536 ? site.in.line : 0),
              races ? races->now(site.warp) : Races::Moment{}};
  for (uint64_t at = offset / granule; at * granule < offset + count; ++at)
    granules[at] = now;
}

void Proxies::fence(Warp &warp) {
  ++epoch;
  if (Races *races = warp.cta.races())
    races->fenceProxies(warp);
}

void Proxies::checkFenced(const Site &site, uint64_t offset, uint64_t count) const {
  Races *races = site.warp.cta.races();
  for (uint64_t at = offset / granule; at * granule < offset + count; ++at) {
    const Granule &bytes = granules[at];
    if (!bytes.epoch || (races ? races->fenced(site.warp, bytes.written) : bytes.epoch < epoch))
      continue;
    site.fail(fmt::format("uses shared address {:#x} asynchronously, which was written{} by ordinary stores with no "
                          "fence.proxy.async since",
                          at * granule, bytes.line ? fmt::format(" at line {}", bytes.line) : ""));
  }
}

void Proxies::checkUnread(const Site &site, uint64_t offset, uint64_t count, const char *access) const {
  for (uint64_t at = offset / granule; at * granule < offset + count; ++at)
    if (granules[at].readers)
      site.fail(fmt::format("{} shared address {:#x}, which a matrix product or bulk copy in flight still reads",
                            access, at * granule));
}

} // namespace tercet::sim
