// PreparePack: everything that tuning needs where there is a device and no compiler, in one file (tercet/autotune/Pack.h).
#pragma once

#include "ScheduleOptions.h"
#include "SpecSource.h"

#include "tercet/dialect/reference/Data.h"

namespace tercet::cli {

struct PrepareRequest {
  const LoadedSpec &spec;
  reference::Shape shape; ///< of the call to time
  DType dtype = DType::bf16;
  std::string target;        ///< an architecture, "sm_90a", or a CPU, "cpu:v3"
  ScheduleRequest schedules; ///< of kernels while others vary
  std::string output;
  int64_t most = 0; ///< candidates per kernel, the best by the model; 0: all
};

/// Compiles every candidate, two at a time, asks the oracle for rows of the call, and writes the pack. One object: candidates compiled and
/// refused per kernel, with reasons, seconds, bytes. unsupportedTarget where the program has no choice of schedules, or a token order.
Result<Json> preparePack(const PrepareRequest &request);

/// The object as text.
std::string prepareText(const Json &object);

} // namespace tercet::cli
