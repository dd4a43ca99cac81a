// Sidecars: what lies beside a cache entry for people to look at: <key>.mlir, the bound spec it was compiled from,
// <key>.log, what the compiler decided, and for GPUs <key>.cu, the kernels as CUDA C++. Tercet never reads them, and they
// live and die with their entry.
#pragma once

#include "tercet/Artifact.h"

namespace tercet {

/// Writes them beside `entry`. What cannot be written is left out: they serve nobody but a reader.
void writeSidecars(const std::filesystem::path &entry, const Artifact &artifact, double compileMs);
/// Bytes that the sidecars of `entry` take.
uint64_t sidecarBytes(const std::filesystem::path &entry);
void removeSidecars(const std::filesystem::path &entry);
bool isSidecar(const std::filesystem::path &path);

} // namespace tercet
