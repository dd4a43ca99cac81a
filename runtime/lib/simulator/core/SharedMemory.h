// The shared memory of a CTA: its bytes, and what has happened to each of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tercet::sim {

struct Site;

class SharedMemory {
public:
  /// `tracked`: reads of bytes that nobody wrote, or that are still in flight, are violations.
  void reset(uint64_t bytes, bool tracked);

  uint64_t size() const { return bytes.size(); }
  std::byte *data() { return bytes.data(); }

  /// Bytes [offset, offset + count) for an access by the site's lane. They fail it unless they lie inside; a read fails
  /// it also where they were not written.
  const std::byte *readable(const Site &site, uint64_t offset, uint64_t count);
  std::byte *writable(const Site &site, uint64_t offset, uint64_t count);

  /// An asynchronous copy into these bytes has been issued, has been waited for. Bounds were checked.
  void setInFlight(const Site &site, uint64_t offset, uint64_t count);
  void setArrived(uint64_t offset, uint64_t count);

private:
  enum State : uint8_t { unwritten, written, inFlight };
  void checkBounds(const Site &site, uint64_t offset, uint64_t count) const;
  [[noreturn]] void failState(const Site &site, uint64_t offset, uint64_t count, const char *access) const;

  std::vector<std::byte> bytes;
  std::vector<uint8_t> states; ///< empty when not tracked
};

} // namespace tercet::sim
