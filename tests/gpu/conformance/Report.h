// Report: what a run of the conformance kernels says, as a Markdown table.
#pragma once

#include "Recording.h"

#include <string>

namespace tercet::conformance {

struct Report {
  std::string markdown;
  bool passed = true; ///< nothing failed, and nothing differs from the expected recording
};

/// `expected`: what `got` is compared with; null: `got` only is told.
Report reportOf(const Recording &got, const Recording *expected);

} // namespace tercet::conformance
