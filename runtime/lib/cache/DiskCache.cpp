// The cache on disk: ROOT/artifacts-1/<key>.entry. The directory's name carries the layout's version, so that builds of
// different versions share a root without reading each other.
#include "tercet/DiskCache.h"

#include "EntryFile.h"
#include "Sidecars.h"

#include "tercet/AtomicFile.h"
#include "tercet/Log.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tercet {
namespace {

namespace fs = std::filesystem;

constexpr const char *entriesName = "artifacts-1";
constexpr const char *suffix = ".entry";
constexpr uint64_t largestEntry = uint64_t{1} << 30;
constexpr std::chrono::hours leftoverAge{1}; // a store takes seconds: an older temporary file was abandoned

template <typename... Args> Status unusable(fmt::format_string<Args...> format, Args &&...args) {
  return Status::make(Code::cacheUnusable, "the cache cannot be used: {}",
                      fmt::format(format, std::forward<Args>(args)...));
}

std::optional<CacheEntry> entryAt(const fs::directory_entry &file) {
  CacheEntry entry;
  std::error_code error;
  if (file.path().extension() != suffix || !Digest::parseHex(file.path().stem().string(), entry.key))
    return std::nullopt;
  entry.path = file.path();
  entry.bytes = file.file_size(error) + sidecarBytes(file.path());
  entry.lastUse = error ? fs::file_time_type() : file.last_write_time(error);
  if (error) // another process removed it meanwhile
    return std::nullopt;
  return entry;
}

bool removeFile(const fs::path &path) {
  std::error_code error;
  return fs::remove(path, error);
}

bool removeEntry(const fs::path &path) {
  bool removed = removeFile(path);
  removeSidecars(path);
  return removed;
}

/// Temporary files of stores that were interrupted, and sidecars whose entry is gone.
bool isLeftover(const fs::path &path) {
  std::error_code error;
  return path.extension() == ".tmp" ||
         (isSidecar(path) && !fs::exists(fs::path(path).replace_extension(suffix), error));
}

} // namespace

DiskCache::DiskCache(fs::path root, CacheLimits limits)
    : entries(root.empty() ? fs::path() : root / entriesName), limits(limits) {}

fs::path DiskCache::pathOf(const Digest &key) const { return entries / (key.hex() + suffix); }

Status DiskCache::checkDirectory() const {
  if (entries.empty())
    return unusable("no directory is known; set TERCET_CACHE_DIR, XDG_CACHE_HOME or HOME");
  struct stat info;
  if (::lstat(entries.c_str(), &info) != 0)
    return unusable("{}: {}", entries.string(), std::strerror(errno));
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 022) != 0)
    return unusable("{} must be a directory that only its owner, this user, can write", entries.string());
  return {};
}

Status DiskCache::makeDirectory() const {
  if (!entries.empty()) {
    std::error_code error;
    fs::create_directories(entries.parent_path().parent_path(), error);
    if (::mkdir(entries.parent_path().c_str(), 0700) != 0 && errno != EEXIST)
      return unusable("{}: {}", entries.parent_path().string(), std::strerror(errno));
    if (::mkdir(entries.c_str(), 0700) != 0 && errno != EEXIST)
      return unusable("{}: {}", entries.string(), std::strerror(errno));
  }
  return checkDirectory();
}

std::optional<Artifact> DiskCache::lookup(const Digest &key) const {
  std::error_code error;
  if (entries.empty() || !fs::exists(pathOf(key), error))
    return std::nullopt;
  if (Status status = checkDirectory(); !status.ok()) {
    log(LogLevel::warn, "{}", status.message());
    return std::nullopt;
  }
  fs::path path = pathOf(key);
  Result<std::vector<uint8_t>> bytes = readWholeFile(path, largestEntry);
  Result<Artifact> artifact = bytes.ok() ? decodeEntry(key, *bytes) : Result<Artifact>(bytes.takeStatus());
  if (!artifact.ok()) {
    if (fs::exists(path, error)) // else another process pruned it between the two calls
      log(LogLevel::warn, "cache entry {} is unusable and will be replaced: {}", path.string(),
          artifact.status().message());
    discard(key);
    return std::nullopt;
  }
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0); // use, for prune; a read-only cache just does not learn of it
  return *std::move(artifact);
}

std::optional<Artifact> DiskCache::peek(const Digest &key) const {
  if (entries.empty() || !checkDirectory().ok())
    return std::nullopt;
  Result<std::vector<uint8_t>> bytes = readWholeFile(pathOf(key), largestEntry);
  Result<Artifact> artifact = bytes.ok() ? decodeEntry(key, *bytes) : Result<Artifact>(bytes.takeStatus());
  return artifact.ok() ? std::optional(*std::move(artifact)) : std::nullopt;
}

void DiskCache::discard(const Digest &key) const { removeEntry(pathOf(key)); }

Status DiskCache::store(const Digest &key, const Artifact &artifact, double compileMs) const {
  TERCET_RETURN_IF_ERROR(makeDirectory());
  if (Status status = writeFileAtomically(pathOf(key), encodeEntry(key, artifact), 0600); !status.ok())
    return unusable("{}", status.message());
  writeSidecars(pathOf(key), artifact, compileMs);
  prune();
  return {};
}

std::unique_ptr<FileLock> DiskCache::lock(const Digest &key, std::chrono::milliseconds patience) const {
  if (!makeDirectory().ok())
    return nullptr;
  // One byte of one file per key, which leaves no file per key behind. Keys that share a byte merely wait for each other.
  Result<std::unique_ptr<FileLock>> lock = FileLock::acquire(entries / "lock", patience, key.low >> 2);
  return lock.ok() ? *std::move(lock) : nullptr;
}

std::vector<CacheEntry> DiskCache::list() const {
  std::vector<CacheEntry> result;
  std::error_code error;
  if (entries.empty())
    return result;
  for (fs::directory_iterator file(entries, error), end; !error && file != end; file.increment(error))
    if (std::optional<CacheEntry> entry = entryAt(*file))
      result.push_back(*std::move(entry));
  std::sort(result.begin(), result.end(),
            [](const CacheEntry &a, const CacheEntry &b) { return a.lastUse > b.lastUse; });
  return result;
}

std::vector<std::pair<CacheEntry, std::string>> DiskCache::verify() const {
  std::vector<std::pair<CacheEntry, std::string>> bad;
  for (CacheEntry &entry : list()) {
    Result<std::vector<uint8_t>> bytes = readWholeFile(entry.path, largestEntry);
    Result<Artifact> artifact = bytes.ok() ? decodeEntry(entry.key, *bytes) : Result<Artifact>(bytes.takeStatus());
    if (!artifact.ok())
      bad.emplace_back(std::move(entry), artifact.status().message());
  }
  return bad;
}

size_t DiskCache::prune() const {
  size_t removed = 0;
  uint64_t total = 0;
  auto now = fs::file_time_type::clock::now();
  for (const CacheEntry &entry : list()) {
    total += entry.bytes;
    if (total > limits.bytes || now - entry.lastUse > limits.age)
      removed += removeEntry(entry.path);
  }
  std::error_code error;
  if (entries.empty())
    return removed;
  for (fs::directory_iterator file(entries, error), end; !error && file != end; file.increment(error)) {
    std::error_code gone;
    if (isLeftover(file->path()) && now - file->last_write_time(gone) > leftoverAge && !gone)
      removeFile(file->path());
  }
  return removed;
}

size_t DiskCache::clear() const {
  size_t removed = 0;
  for (const CacheEntry &entry : list())
    removed += removeEntry(entry.path);
  return removed;
}

} // namespace tercet
