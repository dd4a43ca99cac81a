// SpecKernel: a built-in spec, compiled for the photo's tokens and launched on them: what an application would write.
#pragma once

#include "LeastSquares.h"
#include "PatchTokens.h"

#include "tercet/Session.h"
#include "tercet/compiler/TensorFile.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tercet::demo {

/// What differs between launches. Everything here is a run-time argument: one kernel serves all of them.
struct LaunchInputs {
  std::vector<std::pair<std::string, double>> parameters;
  const Projection *projection = nullptr; ///< for specs with w and b
  int64_t firstQuery = 0, queries = 0;    ///< a range of query tokens; 0 queries: all of them
};

struct LaunchOutputs {
  std::vector<float> *values = nullptr;   ///< [tokens, channels], sized; the range of query tokens is written
  std::vector<int8_t> *classes = nullptr; ///< resized to [query blocks, key blocks] and written, unless null
};

/// Not thread-safe: launches share one workspace, which grows as they need it.
class SpecKernel {
public:
  /// name: of a built-in spec; settings: its static parameters. Errors as Session::compile; internal when this build
  /// has no spec of that name.
  static Result<SpecKernel> compile(Session &session, const std::string &name,
                                    std::map<std::string, std::string> settings);

  /// The wall time of the launch in ms, without what is prepared around it. report: may be null.
  Result<double> launch(const PatchTokens &tokens, const LaunchInputs &inputs, const LaunchOutputs &outputs,
                        LaunchReport *report = nullptr);

  const CompileReport &compileReport() const { return report; }
  /// Of the compiled module, such as "cpu:v4".
  const std::string &target() const { return kernel->artifact().modules.front().target; }

private:
  Status reserve(size_t bytes);

  std::shared_ptr<Kernel> kernel;
  CompileReport report;
  compiler::StoredTensor workspace;
  size_t workspaceSize = 0;
};

} // namespace tercet::demo
