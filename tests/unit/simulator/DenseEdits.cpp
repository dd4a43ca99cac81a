// See the header.
#include "unit/simulator/DenseEdits.h"

#include "gpu/DenseCase.h"
#include "tercet/compiler/cuda/Nvrtc.h"

#include <catch2/catch.hpp>

namespace tercet::test {

/// Empty if nothing is wrong with this source; else what is.
static std::string findFault(const std::string &source, const char *architecture,
                             const std::vector<DenseProblem> &problems, int64_t sharedBytes) {
  auto output = (*compiler::Nvrtc::get())->compile("attend", source, architecture, /*ptxOnly=*/true);
  if (!output.ok())
    return "does not compile: " + output.status().message();
  auto module = sim::Module::parse(output->ptx);
  if (!module.ok())
    return "does not parse: " + module.status().message();
  sim::LaunchConfig plain;
  plain.checks.races = true;
  for (const sim::LaunchConfig &config :
       {plain, adversarial(sim::Landing::latest, 3), adversarial(sim::Landing::seeded, 4)})
    for (const DenseProblem &problem : problems) {
      sim::LaunchConfig bounded = config;
      bounded.maxInstructions = 400000;
      auto outcome = problem.run(*module, sharedBytes, bounded);
      if (!outcome.ok())
        return outcome.status().message();
      if (!outcome->agrees())
        return fmt::format("error {}, LSE off by {}, empty rows {}", outcome->error, outcome->largestLse,
                           outcome->emptyRows);
    }
  return "";
}

BugCount findBugs(const char *architecture, int64_t headDim, const std::vector<DenseProblem> &problems,
                  const std::vector<KernelEdit> &edits, const std::string &spec) {
  DenseCase dense(spec);
  auto cubin = dense.emit(architecture, headDim, "cubin");
  REQUIRE(cubin.ok());
  int64_t sharedBytes = cubin->kernels[0].sharedBytes.value();
  return countBugs(withDeviceLibrary(dense.text(architecture, headDim, "cuda")), edits,
                   [&](const std::string &edited) { return findFault(edited, architecture, problems, sharedBytes); });
}

} // namespace tercet::test
