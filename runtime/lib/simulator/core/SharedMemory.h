// The shared memory of a CTA: its bytes, and what has happened to each of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tercet::sim {

struct Site;
class SharedMemory;

/// Is told of every access of a thread to shared memory, after its bounds were checked. `update` is an atomic one.
class SharedObserver {
public:
  virtual ~SharedObserver() = default;
  virtual void read(const Site &, SharedMemory &, uint64_t offset, uint64_t count) = 0;
  virtual void write(const Site &, SharedMemory &, uint64_t offset, uint64_t count) = 0;
  virtual void update(const Site &site, SharedMemory &memory, uint64_t offset, uint64_t count) {
    write(site, memory, offset, count);
  }
};

class SharedMemory {
public:
  /// `tracked`: reads of bytes that nobody wrote, or that are still in flight, are violations.
  void reset(uint64_t bytes, bool tracked);
  /// Observers are borrowed, and forgotten by reset().
  void observe(SharedObserver &observer) { observers.push_back(&observer); }

  uint64_t size() const { return bytes.size(); }
  std::byte *data() { return bytes.data(); }

  /// Bytes [offset, offset + count) for an access by the site's lane. They fail it unless they lie inside; a read fails
  /// it also where they were not written.
  const std::byte *readable(const Site &site, uint64_t offset, uint64_t count);
  std::byte *writable(const Site &site, uint64_t offset, uint64_t count);
  /// Both at once, for an atomic update.
  std::byte *updatable(const Site &site, uint64_t offset, uint64_t count);

  /// An asynchronous copy into these bytes has been issued, has been waited for. Bounds were checked.
  void setInFlight(const Site &site, uint64_t offset, uint64_t count);
  void setArrived(uint64_t offset, uint64_t count);
  /// As setArrived, by the thread that waited: from here on the bytes count as written by it.
  void setArrived(const Site &site, uint64_t offset, uint64_t count);

private:
  enum State : uint8_t { unwritten, written, inFlight };
  void checkBounds(const Site &site, uint64_t offset, uint64_t count) const;
  static bool anyInFlight(const uint8_t *state, uint64_t count);
  void checkWritten(const Site &site, uint64_t offset, uint64_t count) const;
  void setWritten(const Site &site, uint64_t offset, uint64_t count);
  [[noreturn]] void failState(const Site &site, uint64_t offset, uint64_t count, const char *access) const;

  std::vector<std::byte> bytes;
  std::vector<SharedObserver *> observers;
  std::vector<uint8_t> states; ///< empty when not tracked
};

} // namespace tercet::sim
