// RunOptions: what run, check and bench share: the spec, the data of one or many calls, the target.
#pragma once

#include "CallData.h"
#include "Executor.h"

namespace tercet::cli {

/// One call of a command: a shape (for made-up data) and settings of runtime parameters on top of the spec's.
struct Case {
  reference::Shape shape;
  std::vector<std::pair<std::string, double>> parameters;
};

/// What the options come to.
struct RunRequest {
  TargetName target;
  LoadedSpec spec;
  std::vector<Case> cases; ///< at least one; all of one head and value dimension
  ScheduleRequest schedules;
};

struct RunOptions {
  SpecOptions spec;
  ScheduleOptions schedules;
  std::vector<std::string> in, shapes;
  std::string target = "cpu", dtype;
  int64_t seed = 0, sweepShapes = 0, sweepSettings = 0;
  bool json = false, noCache = false;
  bool grad = false; ///< the backward, too; for the commands that declare it

  void declare(Options &options);
  /// Reads the spec and works out the calls; touches no tensor. unsupportedTarget and deviceUnavailable where the
  /// target does not run here, invalidArgument where options contradict each other.
  Result<RunRequest> resolve() const;
  bool makesData() const { return !shapes.empty(); }
  /// The inputs of one call: the --in files, or seeded data with q and k scaled by `scale` and the case's parameters
  /// over the spec's.
  Result<CallData> inputs(const LoadedSpec &spec, const Case &each, double scale = 1) const;
  /// What makeExecutor needs for calls like this one.
  ExecutorOptions executorOptions(const RunRequest &request, const CallData &call) const;

private:
  Status checkSources() const;
  Result<std::vector<Case>> cases(const LoadedSpec &spec) const;
};

Json parametersJson(const Arguments &arguments);

} // namespace tercet::cli
