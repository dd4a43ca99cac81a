// Report: a comparison as a table for people and as JSON for programs.
#pragma once

#include "Comparison.h"

#include "Output.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tercet::demo {

/// What the numbers depend on besides the machine.
struct Circumstances {
  std::string image;
  int64_t seed = 0, tokens = 0;
  int threads = 0;
  std::string target; ///< instruction set of the kernels
  double noisyPsnr = 0;
};

/// A Markdown table with a line above it that says what was run, and one below about compilation.
std::string tableText(const Comparison &comparison, const Circumstances &circumstances);

/// All numbers. files: the pictures written.
cli::Json comparisonJson(const Comparison &comparison, const Circumstances &circumstances,
                         const std::vector<std::string> &files);

} // namespace tercet::demo
