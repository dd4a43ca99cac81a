// Replay: a recorded call (docs/embedding.md#records), run again here.
#pragma once

#include "Output.h"

#include "tercet/Session.h"

namespace tercet::cli {

struct ReplayedOutput {
  std::string name;
  bool isEqual = false;         ///< in every bit
  double largestDifference = 0; ///< NaN where one of two elements is
};

struct ReplayResult {
  std::string record, spec, module;
  std::vector<ReplayedOutput> outputs;
  LaunchReport report;

  bool passed() const;
  Json json() const;
  std::string text() const;
};

/// Loads the record's artifact for `target`, launches it on the recorded inputs and compares with the recorded outputs.
Result<ReplayResult> replayCall(const std::string &record, const std::string &target);

} // namespace tercet::cli
