#include "tercet/FileLock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace tercet {

FileLock::~FileLock() { ::close(descriptor); }

Result<std::unique_ptr<FileLock>> FileLock::acquire(const std::filesystem::path &file,
                                                    std::chrono::milliseconds patience, uint64_t byte) {
  constexpr std::chrono::milliseconds poll{10};
  auto cannotLock = [&](int error) {
    return Status::make(Code::invalidArgument, "cannot lock {}: {}", file.string(), std::strerror(error));
  };
  int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return cannotLock(errno);
  std::unique_ptr<FileLock> lock(new FileLock(descriptor));
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(byte);
  range.l_len = 1;
  auto deadline = std::chrono::steady_clock::now() + patience;
  while (::fcntl(descriptor, F_OFD_SETLK, &range) != 0) {
    int error = errno;
    bool isHeld = error == EAGAIN || error == EACCES || error == EINTR;
    if (!isHeld)
      return cannotLock(error);
    if (std::chrono::steady_clock::now() >= deadline)
      return Status::make(Code::invalidArgument, "cannot lock {}: another process has held it for {} ms", file.string(),
                          patience.count());
    std::this_thread::sleep_for(poll);
  }
  return lock;
}

} // namespace tercet
