// FileCall: one call on tensors from files.
#pragma once

#include "RunCases.h"

namespace tercet::run {

struct FileCallOptions {
  std::vector<std::filesystem::path> artifacts;
  std::vector<std::string> in, out; ///< NAME=FILE[:TENSOR], NAME=FILE
  std::vector<std::string> set;     ///< NAME=VALUE
  bool grad = false;                ///< the backward, too
};

/// Runs and writes the outputs; the JSON says what ran. With `grad` the artifacts must hold both directions. invalidArgument names the option that is wrong.
Result<cli::Json> runFiles(const RunTarget &target, const FileCallOptions &options);

} // namespace tercet::run
