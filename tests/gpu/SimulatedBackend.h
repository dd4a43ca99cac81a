// SimulatedBackend: specs compiled for an architecture and run by the PTX simulator, as one of the numerics tests' backends.
#pragma once

#include "support/Backend.h"
#include "tercet/rt/SimulatedGpu.h"

#include <map>
#include <memory>

namespace tercet::test {

class SimulatedBackend : public Backend {
public:
  explicit SimulatedBackend(std::string target, rt::SimulationOptions options = {});
  std::string name() const override { return target; }
  Status run(const Spec &spec, const Problem &problem, const Arguments &inputs, const Arguments &outputs,
             int threads = 1) override;

  /// The compiled spec, from the first call on.
  Result<std::shared_ptr<Kernel>> kernelFor(const Spec &spec, const Problem &problem);
  /// One call of a kernel: `artifact` in place of what its spec compiles to.
  Status run(Artifact artifact, const Arguments &inputs, const Arguments &outputs);
  /// What a kernel did since the last call, by name of the count (SimulationCounts).
  std::map<std::string, double> takeCounts(const std::string &kernel);

private:
  Status launch(const Kernel &kernel, const Arguments &inputs, const Arguments &outputs);

  std::string target;
  std::unique_ptr<Session> session;
  std::map<std::string, std::shared_ptr<Kernel>> kernels;
};

} // namespace tercet::test
