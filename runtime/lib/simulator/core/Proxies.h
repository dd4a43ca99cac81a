// Shared memory as the asynchronous proxy sees it (bulk copies, wgmma): what ordinary writes it may not see yet, and what it
// is still reading.
//
// Ordinary writes reach asynchronous readers only through fence.proxy.async. With the race detector on, the fence must
// lie on a path of synchronisation from the write to the use; without it, any fence since the write will do.
#pragma once

#include "core/Program.h"
#include "core/Races.h"
#include "core/SharedMemory.h"

#include <cstdint>
#include <vector>

namespace tercet::sim {

class Proxies final : public SharedObserver {
public:
  static constexpr uint64_t granule = 16;

  void start(Cta &cta);
  /// Starts the proxies of a CTA: a hook for Kernel::atStart.
  static void attach(Cta &cta);

  void write(const Site &, SharedMemory &, uint64_t offset, uint64_t count) override;
  void read(const Site &, SharedMemory &, uint64_t, uint64_t) override {}

  /// fence.proxy.async by the warp.
  void fence(Warp &warp);
  /// The asynchronous proxy uses these bytes, on behalf of the site: ordinary writes to them must have been fenced.
  void checkFenced(const Site &site, uint64_t offset, uint64_t count) const;
  /// It reads them from now until endRead(); whoever writes them meanwhile is at fault. At most 65535 at a time.
  void beginRead(uint64_t offset, uint64_t count) { changeReaders(offset, count, 1); }
  void endRead(uint64_t offset, uint64_t count) { changeReaders(offset, count, -1); }
  /// Fails the site where something asynchronous reads these bytes.
  void checkUnread(const Site &site, uint64_t offset, uint64_t count, const char *access) const;

private:
  struct Granule {
    uint32_t epoch = 0; ///< of the last ordinary write; 0: none
    uint16_t readers = 0;
    uint16_t line = 0; ///< of the write, for messages; 0 when it does not fit
    Races::Moment written;
  };
  void changeReaders(uint64_t offset, uint64_t count, int by) {
    for (uint64_t at = offset / granule; at * granule < offset + count; ++at)
      granules[at].readers = uint16_t(granules[at].readers + by);
  }

  std::vector<Granule> granules;
  uint32_t epoch = 1; ///< counts fences
};

} // namespace tercet::sim
