// Whole-file input and output over POSIX calls: short reads, EINTR and full disks are handled here and nowhere else.
#include "tercet/AtomicFile.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tercet {
namespace {

class Descriptor {
public:
  explicit Descriptor(int fd) : fd(fd) {}
  ~Descriptor() {
    if (fd >= 0)
      ::close(fd);
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  bool valid() const { return fd >= 0; }
  int get() const { return fd; }
  /// Closes early, where a full disk may still show.
  bool close() { return ::close(std::exchange(fd, -1)) == 0; }

private:
  int fd;
};

Status cannot(const char *verb, const std::filesystem::path &path, int error) {
  return Status::make(Code::invalidArgument, "cannot {} {}: {}", verb, path.string(), std::strerror(error));
}

/// A name beside `path` that no other thread or process uses: process id and a counter.
std::filesystem::path nameAside(const std::filesystem::path &path) {
  static std::atomic<unsigned> counter{0};
  std::filesystem::path aside = path;
  aside += fmt::format(".{}-{}.tmp", ::getpid(), counter.fetch_add(1));
  return aside;
}

Status writeInPlace(const std::filesystem::path &path, std::span<const uint8_t> bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid() || !writeFully(file.get(), bytes))
    return cannot("write", path, errno);
  return {};
}

} // namespace

bool writeFully(int descriptor, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return true;
}

Status writeFileAtomically(const std::filesystem::path &path, std::span<const uint8_t> bytes, unsigned mode) {
  struct stat existing;
  if (::stat(path.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode))
    return S_ISDIR(existing.st_mode) ? cannot("write", path, EISDIR) : writeInPlace(path, bytes);

  std::filesystem::path aside = nameAside(path);
  Descriptor file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file.valid())
    return cannot("write", path, errno);
  bool written = writeFully(file.get(), bytes) && ::fsync(file.get()) == 0;
  written = written && file.close() && ::rename(aside.c_str(), path.c_str()) == 0;
  if (!written) {
    int error = errno;
    ::unlink(aside.c_str());
    return cannot("write", path, error);
  }
  return {};
}

Result<std::vector<uint8_t>> readWholeFile(const std::filesystem::path &path, uint64_t limit, ReadFrom from) {
  int follow = from == ReadFrom::ownFile ? O_NOFOLLOW : 0; // a symbolic link is then ELOOP
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | follow));
  struct stat info;
  if (!file.valid() || ::fstat(file.get(), &info) != 0)
    return cannot("read", path, errno);
  if (!S_ISREG(info.st_mode))
    return Status::make(Code::invalidArgument, "cannot read {}: it is not a regular file", path.string());
  if (from == ReadFrom::ownFile && info.st_uid != ::geteuid())
    return Status::make(Code::invalidArgument, "cannot read {}: it belongs to another user", path.string());
  uint64_t size = static_cast<uint64_t>(info.st_size);
  if (size > limit)
    return Status::make(Code::invalidArgument, "cannot read {}: {} bytes; at most {} are read", path.string(), size,
                        limit);
  std::vector<uint8_t> bytes(size);
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t count = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return cannot("read", path, errno);
    if (count == 0)
      break;
    done += static_cast<size_t>(count);
  }
  bytes.resize(done); // the file may have become shorter meanwhile
  return bytes;
}

} // namespace tercet
