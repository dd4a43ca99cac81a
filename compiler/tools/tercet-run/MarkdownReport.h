// MarkdownReport: the results of a table as one page.
#pragma once

#include "Output.h"

namespace tercet::run {

/// results: the object that --json prints.
std::string markdown(const cli::Json &results);

} // namespace tercet::run
