// Backend: one way to run a spec. The numerics tests run on every backend of the build.
#pragma once

#include "tercet/Session.h"

#include <string>
#include <vector>

namespace tercet::test {

class Backend {
public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;
  /// Runs `spec` on `inputs` and writes `outputs` (o; lse and classes where the spec has them). threads: how many may
  /// work on it; the results must not depend on it.
  virtual Status run(const Spec &spec, const Problem &problem, const Arguments &inputs, const Arguments &outputs,
                     int threads = 1) = 0;
};

/// The backends of this build: `reference` first.
const std::vector<Backend *> &backends();

/// The cpu targets that this machine runs, through a Session: cpu:v4, cpu:v3, cpu:portable. Empty without a JIT.
std::vector<Backend *> cpuBackends();

} // namespace tercet::test
