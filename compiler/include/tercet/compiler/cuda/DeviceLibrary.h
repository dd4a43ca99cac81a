// DeviceLibrary: the .cuh files of compiler/device, embedded in this binary.
#pragma once

#include <span>
#include <string_view>

namespace tercet::compiler {

/// name: what #include takes, "tercet/dev/tile.cuh".
struct DeviceFile {
  std::string_view name, text;
};

/// All files, sorted by name.
std::span<const DeviceFile> deviceFiles();

/// Hex XXH3-128 of names and texts: part of what identifies a compiled kernel.
std::string_view deviceLibraryDigest();

} // namespace tercet::compiler
