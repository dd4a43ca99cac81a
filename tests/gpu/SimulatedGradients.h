// Gradients by simulated GPUs, and what tests of them ask.
#pragma once

#include "gpu/SimulatedBackend.h"
#include "numerics/GradientRun.h"

namespace tercet::test {

/// One for a target, kept for the whole test run. adversarial: any legal order of events, with races looked for.
inline SimulatedBackend &backendFor(const std::string &target, bool adversarial = false) {
  static std::map<std::pair<std::string, bool>, std::unique_ptr<SimulatedBackend>> backends;
  auto &backend = backends[{target, adversarial}];
  if (!backend) {
    rt::SimulationOptions options = adversarial ? rt::adversarialSimulation(3) : rt::SimulationOptions();
    backend = std::make_unique<SimulatedBackend>(target, options);
  }
  return *backend;
}

/// Runs a kernel of a spec with those of the arguments that it takes.
inline void runTaken(SimulatedBackend &backend, const Spec &spec, const Problem &problem, const Arguments &inputs,
                     const Arguments &outputs) {
  Result<std::shared_ptr<Kernel>> kernel = backend.kernelFor(spec, problem);
  INFO(kernel.status().message());
  REQUIRE(kernel.ok());
  const PlanSignature &signature = (*kernel)->artifact().signature();
  Status status = backend.run(spec, problem, takenBy(signature, inputs), takenBy(signature, outputs));
  INFO(status.message());
  REQUIRE(status.ok());
}

inline Gradients gradientsOf(SimulatedBackend &backend, GradientRun &run) {
  return run.run([&](const Spec &spec, const Problem &problem, const Arguments &inputs, const Arguments &outputs) {
    runTaken(backend, spec, problem, inputs, outputs);
  });
}

/// Against plain loops in fp64, within the bounds of docs/numerics.md.
inline void checkByLoops(SimulatedBackend &backend, const Case &entry) {
  INFO(backend.name() << " " << entry.name << " " << entry.describe());
  GradientRun run(entry);
  Gradients got = gradientsOf(backend, run);
  checkGradients(got, naiveGradients(run.naive()), entry.dtype);
}

/// Against the oracle, by the contract of docs/numerics.md.
inline void checkByContract(SimulatedBackend &backend, const Case &entry) {
  INFO(backend.name() << " " << entry.describe());
  GradientRun run(entry);
  run.withTables();
  gradientsOf(backend, run);
  reference::Verdict verdict = run.verdict(entry.dtype);
  INFO(reference::describe(verdict));
  CHECK(verdict.passed);
}

/// The backward of a spec for square heads, by NVRTC: no kernel spills or has a stack.
inline void checkResources(const char *spec, const char *target, int64_t headDim, DType dtype) {
  Result<Artifact> artifact = makeCompiler()->compile(
      specNamed(spec),
      {.headDim = headDim, .valueDim = headDim, .dtype = dtype, .target = target, .direction = Direction::backward});
  INFO(spec << " " << target << " " << headDim << ": " << artifact.status().message());
  REQUIRE(artifact.ok());
  for (const KernelInfo &kernel : artifact->modules.front().kernels) {
    INFO(kernel.name << " " << kernel.schedule << ": " << kernel.gpu.registers << " registers");
    CHECK(kernel.gpu.spillBytes == 0);
    CHECK(kernel.gpu.stackBytes == 0);
  }
}

} // namespace tercet::test
