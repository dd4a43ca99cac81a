// AtomicFile: whole files in and out; a reader of the target path sees the old content or the whole new one.
#pragma once

#include "tercet/Status.h"

#include <cstdint>
#include <filesystem>
#include <span>

namespace tercet {

/// Writes beside `path` (same directory, so that the rename is atomic), flushes to disk, renames. A path that exists
/// and is no regular file (a pipe, /dev/stdout) is written in place. mode is subject to the umask. invalidArgument with
/// the system's reason when it fails; nothing is left behind then.
Status writeFileAtomically(const std::filesystem::path &path, std::span<const uint8_t> bytes, unsigned mode = 0666);

enum class ReadFrom {
  anyFile,
  ownFile, ///< no symbolic link, and owned by this user: the same file that was looked at is read
};

/// The whole file; invalidArgument when it cannot be read, is no regular file or not one of `from`, or is larger than
/// `limit` bytes.
Result<std::vector<uint8_t>> readWholeFile(const std::filesystem::path &path, uint64_t limit,
                                           ReadFrom from = ReadFrom::anyFile);

/// Writes all bytes to an open descriptor, through short writes and interrupts; false with errno set otherwise.
bool writeFully(int descriptor, std::span<const uint8_t> bytes);

} // namespace tercet
