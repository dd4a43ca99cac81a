// Gradients of several branches, gates and pools (docs/gradients.md#branches) in the simulator, against the oracle by the contract of
// docs/numerics.md.
#include "gpu/SimulatedGradients.h"

using namespace tercet;
using namespace tercet::test;

static const reference::Shape shape{
    .batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 170, .headDim = 24, .valueDim = 40};

TEST_CASE("gradients of gated sums, joint softmaxes and pools in the simulator", "[branches]") {
  for (const char *spec : {"nsa/16", "gated_branches", "pooled_queries", "weighted_pools"})
    for (DType dtype : {DType::bf16, DType::f32})
      for (double scale : {1.0, 4.0})
        checkByContract(backendFor("sim:sm_80"),
                        {.name = "branches", .spec = spec, .shape = shape, .dtype = dtype, .scale = scale});
  checkByContract(backendFor("sim:sm_80"), {.name = "branches", .spec = "nsa/16", .shape = shape, .dtype = DType::f16});
}

TEST_CASE("gradients of branches under token orders in the simulator", "[branches]") {
  // 3 x 5 x 7 tokens in cubes of 4 x 4 x 4, clipped at the far edges, and 15 of text.
  for (DType dtype : {DType::bf16, DType::f32})
    checkByContract(backendFor("sim:sm_80"),
                    {.name = "cubes",
                     .spec = "vsa",
                     .parameters = {{"keep", 0.4}, {"frames", 3}, {"height", 5}, {"width", 7}},
                     .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 120, .tokensK = 120, .headDim = 24},
                     .dtype = dtype,
                     .layout = Layout::tokensFirst});
}

TEST_CASE("gradients of branches in the simulator see nothing beyond lengths", "[branches]") {
  for (const char *spec : {"nsa/16", "weighted_pools", "pooled_queries"})
    for (DType dtype : {DType::bf16, DType::f32})
      checkByContract(backendFor("sim:sm_80"),
                      {.name = "lengths",
                       .spec = spec,
                       .shape = {.batch = 3, .heads = 4, .headsKV = 2, .tokensQ = 130, .tokensK = 140, .headDim = 24},
                       .dtype = dtype,
                       .queryLengths = {0, 100, 130},
                       .keyLengths = {77, 129, 0},
                       .layout = Layout::tokensFirst,
                       .poison = true});
}

TEST_CASE("kernels of gradients of branches in any legal order of events, with races looked for", "[branches]") {
  for (const char *spec : {"nsa/16", "vsa", "weighted_pools"})
    for (const char *target : {"sim:sm_80", "sim:sm_90a"})
      checkByContract(backendFor(target, /*adversarial=*/true),
                      {.name = "adversarial",
                       .spec = spec,
                       .shape = {.heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 150, .headDim = 64},
                       .dtype = DType::bf16});
}

TEST_CASE("gradients of branches in the simulator have the same bits run after run", "[branches]") {
  GradientRun run({.name = "again",
                   .spec = "nsa/16",
                   .shape = {.heads = 2, .headsKV = 1, .tokensQ = 90, .tokensK = 70, .headDim = 64},
                   .dtype = DType::bf16});
  Gradients first = gradientsOf(backendFor("sim:sm_80"), run);
  for (bool adversarial : {false, true}) {
    Gradients again = gradientsOf(backendFor("sim:sm_80", adversarial), run);
    checkSame(again, first);
  }
}

TEST_CASE("kernels of gradients of branches keep their registers and have no stack", "[branches]") {
  checkResources("nsa/16", "sm_80", 128, DType::bf16);
  checkResources("pooled_queries", "sm_90a", 128, DType::bf16);
}

TEST_CASE("all kernels of gradients of branches keep their registers and have no stack", "[.][registers]") {
  for (const char *spec : {"nsa/16", "vsa", "pooled_queries", "weighted_pools"})
    for (auto [target, headDim] : {std::pair{"sm_80", 64}, {"sm_80", 128}, {"sm_90a", 128}})
      checkResources(spec, target, headDim, DType::bf16);
}
