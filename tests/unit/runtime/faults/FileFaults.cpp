#include "FileFaults.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace tercet::test {
namespace {

std::atomic<Fault> fault{Fault::none};
std::atomic<int> chosen{0}, error{0}, steps{0};

enum class Takes { space, nothing };

[[noreturn]] void die() {
  kill(getpid(), SIGKILL);
  for (;;)
    pause();
}

bool isInMemory(int descriptor) {
  char link[32], target[16] = {};
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  return readlink(link, target, sizeof target - 1) > 0 && std::strncmp(target, "/memfd:", 7) == 0;
}

/// Counts a call; whether it must fail. halfway: what to do first where the process is to end in the middle of it.
template <typename Halfway> bool failsStep(Takes takes, Halfway halfway) {
  if (fault == Fault::none)
    return false;
  int step = ++steps;
  bool isChosen = step == chosen;
  if (isChosen && (fault == Fault::killBefore || fault == Fault::killHalfway)) {
    if (fault == Fault::killHalfway)
      halfway();
    die();
  }
  bool isFull = fault == Fault::failOn && step > chosen && takes == Takes::space;
  bool fails = isFull || (isChosen && (fault == Fault::failOnce || fault == Fault::failOn));
  if (fails)
    errno = error;
  return fails;
}

bool failsStep(Takes takes) {
  return failsStep(takes, [] {});
}

} // namespace

void armFileFault(Fault what, int step, int number) {
  chosen = step;
  error = number;
  steps = 0;
  fault = what;
}

void disarmFileFault() { fault = Fault::none; }

int fileSteps() { return steps; }

} // namespace tercet::test

using namespace tercet::test;

#define EXPORT extern "C" __attribute__((visibility("default")))

/// The next definition after this program's: the C library's.
#define NEXT(name) reinterpret_cast<decltype(&(name))>(dlsym(RTLD_NEXT, #name))

EXPORT ssize_t write(int descriptor, const void *bytes, size_t count) {
  static const auto next = NEXT(write);
  if (!isInMemory(descriptor) && failsStep(Takes::space, [&] { next(descriptor, bytes, count / 2); }))
    return -1;
  return next(descriptor, bytes, count);
}

EXPORT ssize_t writev(int descriptor, const iovec *parts, int count) {
  static const auto next = NEXT(writev);
  if (failsStep(Takes::space, [&] { next(descriptor, parts, count / 2); }))
    return -1;
  return next(descriptor, parts, count);
}

EXPORT int open(const char *path, int flags, ...) {
  static const auto next = NEXT(open);
  va_list more;
  va_start(more, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  if ((flags & O_ACCMODE) != O_RDONLY && failsStep(Takes::space))
    return -1;
  return next(path, flags, mode);
}

EXPORT FILE *fopen(const char *path, const char *mode) {
  static const auto next = NEXT(fopen);
  return std::strpbrk(mode, "wa+") && failsStep(Takes::space) ? nullptr : next(path, mode);
}

EXPORT FILE *fopen64(const char *path, const char *mode) {
  static const auto next = NEXT(fopen64);
  return std::strpbrk(mode, "wa+") && failsStep(Takes::space) ? nullptr : next(path, mode);
}

EXPORT int fsync(int descriptor) {
  static const auto next = NEXT(fsync);
  return failsStep(Takes::space) ? -1 : next(descriptor);
}

EXPORT int rename(const char *from, const char *to) noexcept {
  static const auto next = NEXT(rename);
  return failsStep(Takes::space) ? -1 : next(from, to);
}

EXPORT int mkdir(const char *path, mode_t mode) noexcept {
  static const auto next = NEXT(mkdir);
  return failsStep(Takes::space) ? -1 : next(path, mode);
}

EXPORT int unlink(const char *path) noexcept {
  static const auto next = NEXT(unlink);
  return failsStep(Takes::nothing) ? -1 : next(path);
}

EXPORT int remove(const char *path) noexcept {
  static const auto next = NEXT(remove);
  return failsStep(Takes::nothing) ? -1 : next(path);
}

EXPORT int utimensat(int folder, const char *path, const timespec times[2], int flags) noexcept {
  static const auto next = NEXT(utimensat);
  return failsStep(Takes::nothing) ? -1 : next(folder, path, times, flags);
}
