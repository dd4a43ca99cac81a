// ArtifactFiles: one artifact from files that hold it for one target each.
#pragma once

#include "tercet/Artifact.h"

#include <filesystem>

namespace tercet::run {

/// Loads the files and gathers their modules. invalidArgument when a file is none, or when they are not of one spec, head
/// dimension and dtype.
Result<Artifact> loadArtifacts(const std::vector<std::filesystem::path> &files);

} // namespace tercet::run
