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

struct RunOptions {
  SpecOptions spec;
  std::vector<std::string> in, shapes;
  std::string target = "cpu", dtype;
  int64_t seed = 0, sweepShapes = 0, sweepSettings = 0;
  bool json = false, noCache = false;

  void declare(CLI::App &app);
  /// --dtype, or f32; invalidArgument on a word that is none.
  DType dtypeOrF32() const;
  bool makesData() const { return !shapes.empty(); }
  /// --in or --shape, not both, not neither; sweeps only with --shape.
  Status checkSources() const;
  /// The calls that --shape and the sweeps ask for, all of one head and value dimension.
  Result<std::vector<Case>> cases(const LoadedSpec &spec) const;
};

/// The inputs of one case: seeded, the case's parameters over the spec's.
Result<CallData> makeInputs(const LoadedSpec &spec, const Case &each, const reference::DataOptions &options);

Json parametersJson(const Arguments &arguments);

} // namespace tercet::cli
