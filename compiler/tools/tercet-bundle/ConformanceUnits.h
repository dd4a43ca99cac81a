// ConformanceUnits: the one-instruction kernels of bench/conformance as PTX files of a bundle.
#pragma once

#include "tercet/Status.h"

#include <filesystem>

namespace tercet::bundle {

/// Compiles every unit of `source` for `architecture` and writes FOLDER/NAME.ptx. Errors as Nvrtc::compile.
Status writeConformance(const std::filesystem::path &source, const std::string &architecture,
                        const std::filesystem::path &folder);

} // namespace tercet::bundle
