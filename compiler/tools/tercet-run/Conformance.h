// Conformance: one-instruction kernels on a GPU and on the simulator, compared word by word.
#pragma once

#include "Output.h"

#include <filesystem>

namespace tercet::run {

/// Runs every FOLDER/*.ptx on the device and on `sim:` of the PTX's own architecture, with three fills of seeded input (any
/// bits; floats of both signs around 1; small integers). The object lists per kernel: words, how many differ, the first
/// difference, and what the device gave (hex), which is what a golden file holds. Kernels that the simulator does not know,
/// or whose architecture the device is not, are told as skipped.
Result<cli::Json> checkConformance(const std::filesystem::path &folder, const std::string &target);

} // namespace tercet::run
