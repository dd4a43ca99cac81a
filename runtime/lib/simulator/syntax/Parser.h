// The parser of a module: directives, variables and kernels.
#pragma once

#include "core/Program.h"

#include <memory>
#include <string_view>

namespace tercet::sim {

/// Parses and decodes. Throws Failure, a sentence with the line.
std::shared_ptr<const Program> parseProgram(std::string_view source);

} // namespace tercet::sim
