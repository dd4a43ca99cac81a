// TunePack: the two halves of tuning where compiler and device are on different machines: --prepare and --measure.
#pragma once

#include "Command.h"
#include "ScheduleOptions.h"
#include "SpecSource.h"

namespace tercet::cli {

struct PackOptions {
  std::string prepare, measure;
  int64_t most = 0;
  ScheduleOptions schedules;

  void declare(Options &options);
  bool given() const { return !prepare.empty() || !measure.empty(); }
};

/// What the command was given besides.
struct PackCall {
  SpecOptions spec;
  std::string shape, target, dtype, database;
  double budgetSeconds = 60;
  bool grad = false, json = false;
};

/// Prepares or measures, and prints. invalidArgument where both are asked for, or what a half does not take.
Result<ExitCode> tuneByPack(const PackOptions &options, const PackCall &call);

} // namespace tercet::cli
