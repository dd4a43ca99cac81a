// Maps regular files only: a pipe or a device has no size to check a header against.
#include "MappedFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tercet::compiler {
namespace {

Status cannotRead(const std::string &path, const char *why) {
  return Status::make(Code::invalidArgument, "cannot read {}: {}", path, why);
}

} // namespace

Result<std::shared_ptr<MappedFile>> MappedFile::open(const std::string &path) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    return cannotRead(path, std::strerror(errno));
  struct stat info;
  if (::fstat(file, &info) != 0) {
    int error = errno;
    ::close(file);
    return cannotRead(path, std::strerror(error));
  }
  if (!S_ISREG(info.st_mode) || info.st_size == 0) {
    ::close(file);
    return cannotRead(path, S_ISREG(info.st_mode) ? "the file is empty" : "it is not a regular file");
  }
  size_t size = static_cast<size_t>(info.st_size);
  void *base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file, 0);
  int error = errno;
  ::close(file);
  if (base == MAP_FAILED)
    return cannotRead(path, std::strerror(error));
  return std::shared_ptr<MappedFile>(new MappedFile(static_cast<uint8_t *>(base), size));
}

MappedFile::~MappedFile() { ::munmap(base, size); }

} // namespace tercet::compiler
