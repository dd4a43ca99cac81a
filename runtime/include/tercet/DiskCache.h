// DiskCache: compiled artifacts by key, one file each, shared by all processes of a user.
//
// A cache can only ever save time: whatever is wrong with it (damage, another version, no space, no permission) is a
// miss or a store that did not happen, with a warning, and the next store replaces a bad entry. Nothing from the cache
// is used unless the directory belongs to this user alone and the entry's digest and key match.
#pragma once

#include "tercet/Artifact.h"
#include "tercet/Digest.h"
#include "tercet/FileLock.h"

#include <chrono>
#include <memory>
#include <optional>

namespace tercet {

struct CacheLimits {
  uint64_t bytes = uint64_t{1} << 30;
  std::chrono::hours age{24 * 90}; ///< since last use
};

struct CacheEntry {
  Digest key;
  std::filesystem::path path;
  uint64_t bytes = 0; ///< with the files beside it
  std::filesystem::file_time_type lastUse;
};

/// Thread-safe. Keeps no state but its paths and limits.
class DiskCache {
public:
  /// root: see CacheDirectory.h; created at the first store. An empty root is a cache that never hits.
  explicit DiskCache(std::filesystem::path root, CacheLimits limits = {});

  const std::filesystem::path &directory() const { return entries; }

  /// The entry, or nothing: absent, or damaged, foreign or of another version, which logs one warning and removes it. A
  /// hit counts as use.
  std::optional<Artifact> lookup(const Digest &key) const;
  /// The entry without counting as use; nothing, and no warning, when it cannot be read.
  std::optional<Artifact> peek(const Digest &key) const;
  /// Removes an entry that turned out not to work.
  void discard(const Digest &key) const;
  /// Writes aside, flushes, renames; then prunes. cacheUnusable when the directory cannot be used. Beside the entry it
  /// leaves, for people, the bound spec (<key>.mlir), what the compiler decided and how long it took (<key>.log), and the
  /// source of GPU kernels (<key>.cu); they are never read back, and go with their entry.
  Status store(const Digest &key, const Artifact &artifact, double compileMs = 0) const;
  /// Waits until no other thread or process holds the key, at most `patience`; null when that passed or the directory
  /// cannot be used: go on without.
  std::unique_ptr<FileLock> lock(const Digest &key, std::chrono::milliseconds patience = std::chrono::minutes(2)) const;

  /// Entries, last used first; empty when there is no directory.
  std::vector<CacheEntry> list() const;
  /// Reads every entry; returns the unusable ones with the reason.
  std::vector<std::pair<CacheEntry, std::string>> verify() const;
  /// Removes entries beyond the limits, least recently used first, and leftovers of interrupted stores. Returns how
  /// many entries went.
  size_t prune() const;
  /// Removes all entries. Returns how many.
  size_t clear() const;

private:
  std::filesystem::path pathOf(const Digest &key) const;
  Status makeDirectory() const;
  Status checkDirectory() const;

  std::filesystem::path entries;
  CacheLimits limits;
};

} // namespace tercet
