// The dense kernel of warpgroups (sm_90a), from the PTX that NVRTC makes of it: tails, grouped heads, lengths, whatever the order of warps
// and effects, with detection of races.
#include "gpu/DenseCase.h"
#include "unit/simulator/DenseProblem.h"

#include <catch2/catch.hpp>

using namespace tercet;

namespace {

std::vector<test::DenseShape> shapesOf(int64_t dim) {
  return {
      {.batch = 2,
       .heads = 4,
       .keyHeads = 2,
       .queries = 130,
       .keys = 300,
       .dim = dim,
       .queryLengths = {130, 65},
       .keyLengths = {257, 0}},
      {.queries = 1, .keys = 1, .dim = dim},
      {.heads = 2, .keyHeads = 1, .queries = 77, .keys = 513, .dim = dim},
  };
}

} // namespace

TEST_CASE("dense attention of warpgroups agrees with attention in double", "[simulator][nvrtc]") {
  test::DenseCase dense;
  for (int64_t dim : {64, 128}) {
    auto cubin = dense.emit("sm_90a", dim, "cubin");
    REQUIRE(cubin.ok());
    auto module = sim::Module::parse(dense.text("sm_90a", dim, "ptx"));
    REQUIRE(module.ok());
    for (const test::DenseShape &shape : shapesOf(dim)) {
      test::DenseProblem problem(shape);
      sim::LaunchConfig plain;
      for (const sim::LaunchConfig &config :
           {plain, test::adversarial(sim::Landing::atIssue, 1), test::adversarial(sim::Landing::latest, 2),
            test::adversarial(sim::Landing::seeded, 3)}) {
        auto outcome = problem.run(*module, cubin->kernels[0].sharedBytes.value(), config);
        INFO("d = " << dim << ", " << shape.queries << " x " << shape.keys << ", landing " << int(config.landing));
        INFO((outcome.ok() ? "" : outcome.status().message()));
        REQUIRE(outcome.ok());
        CHECK(outcome->agrees());
        CHECK(outcome->report.sharedStore.wavefronts == outcome->report.sharedStore.ideal);
      }
    }
  }
}

// Not part of the usual run: simulator_dense_tests "[sweep]".
TEST_CASE("dense attention of warpgroups in many orders", "[.][sweep]") {
  test::DenseCase dense;
  auto cubin = dense.emit("sm_90a", 128, "cubin");
  REQUIRE(cubin.ok());
  auto module = sim::Module::parse(dense.text("sm_90a", 128, "ptx"));
  REQUIRE(module.ok());
  for (const test::DenseShape &shape : shapesOf(128)) {
    test::DenseProblem problem(shape);
    for (uint64_t seed = 0; seed < 30; ++seed) {
      sim::LaunchConfig config = test::adversarial(sim::Landing(seed % 3), seed);
      config.quantum = seed % 2 ? 1 + uint32_t(seed) : 200;
      config.sleepAfterArrival = uint32_t(seed % 5) * 25;
      auto outcome = problem.run(*module, cubin->kernels[0].sharedBytes.value(), config);
      INFO("seed " << seed << (outcome.ok() ? "" : ": " + outcome.status().message()));
      REQUIRE(outcome.ok());
      CHECK(outcome->agrees());
    }
  }
}

TEST_CASE("a step of warpgroups loads each key and value once and stays within its instructions",
          "[simulator][nvrtc]") {
  constexpr int64_t dim = 128, shorter = 512, longer = 1536;
  test::DenseCase dense;
  auto cubin = dense.emit("sm_90a", dim, "cubin");
  REQUIRE(cubin.ok());
  auto module = sim::Module::parse(dense.text("sm_90a", dim, "ptx"));
  REQUIRE(module.ok());
  auto run = [&](int64_t keys) {
    auto outcome = test::DenseProblem({.queries = 128, .keys = keys, .dim = dim})
                       .run(*module, cubin->kernels[0].sharedBytes.value(), {});
    REQUIRE(outcome.ok());
    return outcome->report;
  };
  sim::LaunchReport few = run(shorter), many = run(longer);
  // 16 rows x 64 keys per item: 8 warps, and the producer's instructions shared out among them.
  double items = 8.0 * double(longer - shorter) / 64;
  CHECK(double(many.totalInstructions - few.totalInstructions) / items <= 375);
  CHECK(many.globalLoadBytes - few.globalLoadBytes == uint64_t(longer - shorter) * dim * 2 * 2);
  CHECK(many.matrixFlops - few.matrixFlops == uint64_t(4) * 128 * uint64_t(longer - shorter) * dim);
}
