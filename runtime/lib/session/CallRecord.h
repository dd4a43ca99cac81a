// CallRecord: a kernel that leaves its first launch behind, to be run again elsewhere (docs/embedding.md#records).
#pragma once

#include "tercet/Session.h"

#include <filesystem>

namespace tercet::rt {

/// The kernel, which at its first launch writes a folder of its own below `directory`: the artifact, the call, and on a CPU the
/// tensors before and after it. What cannot be written is a warning, and the launch is as ever.
std::shared_ptr<Kernel> recorded(std::shared_ptr<Kernel> kernel, std::string target, std::filesystem::path directory);

} // namespace tercet::rt
