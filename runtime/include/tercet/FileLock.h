// FileLock: one byte of a file, held among threads and processes.
#pragma once

#include "tercet/Status.h"

#include <chrono>
#include <filesystem>
#include <memory>

namespace tercet {

/// Holds its byte until destroyed, or until its process ends. A lock of an open file description: it holds between
/// threads, too, and keeps nobody from reading or writing the file.
class FileLock {
public:
  /// Makes the file if need be and waits until nobody else holds the byte, at most `patience`. invalidArgument when the
  /// file cannot be opened, or patience ends.
  static Result<std::unique_ptr<FileLock>> acquire(const std::filesystem::path &file,
                                                   std::chrono::milliseconds patience, uint64_t byte = 0);
  ~FileLock();
  FileLock(const FileLock &) = delete;
  FileLock &operator=(const FileLock &) = delete;

private:
  explicit FileLock(int descriptor) : descriptor(descriptor) {}
  int descriptor;
};

} // namespace tercet
