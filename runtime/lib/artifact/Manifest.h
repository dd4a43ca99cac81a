// Manifest: the JSON part of an artifact file. Private to the artifact library.
#pragma once

#include "tercet/Artifact.h"

#include <nlohmann/json_fwd.hpp>

namespace tercet {

/// Where a module's code lies, in bytes from the start of the file's code area.
struct CodeRange {
  uint64_t offset = 0, size = 0;
};

/// Everything of the artifact but the code bytes, as JSON text. ranges: one per module.
std::string writeManifest(const Artifact &artifact, const std::vector<CodeRange> &ranges);

/// Reads what writeManifest wrote; every field is checked for presence, type and range. The modules' code stays empty.
Status readManifest(std::string_view text, Artifact &artifact, std::vector<CodeRange> &ranges);

} // namespace tercet
