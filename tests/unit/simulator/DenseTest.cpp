// The dense attention kernels that the compiler emits, run from the PTX that NVRTC makes of them, against attention in double.
#include "gpu/DenseCase.h"
#include "unit/simulator/DenseProblem.h"

#include <catch2/catch.hpp>

using namespace tercet;
using test::DenseOutcome;
using test::DenseProblem;

namespace {

struct Compiled {
  Result<sim::Module> module;
  int64_t sharedBytes;
};

Compiled compile(const char *target, int64_t headDim) {
  test::DenseCase dense;
  auto cubin = dense.emit(target, headDim, "cubin");
  REQUIRE(cubin.ok());
  Compiled compiled{sim::Module::parse(dense.text(target, headDim, "ptx")), cubin->kernels[0].sharedBytes.value()};
  INFO((compiled.module.ok() ? "" : compiled.module.status().message()));
  REQUIRE(compiled.module.ok());
  return compiled;
}

DenseOutcome attend(const Compiled &compiled, const DenseProblem &problem, const sim::LaunchConfig &config) {
  auto outcome = problem.run(*compiled.module, compiled.sharedBytes, config);
  INFO((outcome.ok() ? "" : outcome.status().message()));
  REQUIRE(outcome.ok());
  INFO("relative error " << outcome->error << ", LSE off by " << outcome->largestLse << ", empty rows "
                         << outcome->emptyRows);
  CHECK(outcome->agrees());
  return *outcome;
}

} // namespace

TEST_CASE("dense attention on warps computes attention, at every tail and in every mode", "[simulator][nvrtc]") {
  const DenseProblem problems[] = {
      DenseProblem({}),
      DenseProblem({.queries = 1, .keys = 1}),
      DenseProblem({.heads = 4, .keyHeads = 2, .queries = 77, .keys = 130}),
      DenseProblem(
          {.batch = 2, .heads = 2, .queries = 100, .keys = 190, .queryLengths = {100, 37}, .keyLengths = {0, 129}}),
      DenseProblem({.queries = 65, .keys = 0}),
  };
  for (const char *target : {"sm_80", "sm_120"}) {
    Compiled compiled = compile(target, 64);
    for (const DenseProblem &problem : problems)
      for (sim::Landing landing : {sim::Landing::atIssue, sim::Landing::seeded, sim::Landing::latest}) {
        INFO(target << ", " << problem.shape.queries << " queries, " << problem.shape.keys << " keys, landing "
                    << int(landing));
        attend(compiled, problem,
               landing == sim::Landing::atIssue ? sim::LaunchConfig{} : test::adversarial(landing, 5));
      }
  }
}

TEST_CASE("the dense kernel's counts are what its schedule says", "[simulator][nvrtc]") {
  Compiled compiled = compile("sm_80", 128);
  DenseOutcome outcome = attend(compiled, DenseProblem({.queries = 128, .keys = 256, .dim = 128}), {});
  const sim::LaunchReport &report = outcome.report;
  CHECK(report.matrixFlops == uint64_t(2) * 2 * 128 * 256 * 128);
  CHECK(report.sharedMatrix.wavefronts == report.sharedMatrix.ideal);
  // K and V once per block of 64 queries, Q once.
  CHECK(report.asyncBytes == uint64_t(2) * (2 * 256 * 128 * 2) + 128 * 128 * 2);
  CHECK(report.globalStoreBytes == 128 * 128 * 2 + 128 * 4);
}
