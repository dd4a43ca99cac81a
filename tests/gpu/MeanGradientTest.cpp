// Gradients through block means in the simulator (docs/gradients.md#branches), against the oracle by the contract of docs/numerics.md.
#include "gpu/SimulatedGradients.h"

using namespace tercet;
using namespace tercet::test;

TEST_CASE("gradients through block means in the simulator, whatever blocks and heads", "[means]") {
  using Blocks = std::pair<const char *, const char *>;
  const char *const pooled[] = {"false", "true"};
  int number = 0;
  for (auto [bq, bk] : {Blocks{"16", "16"}, {"64", "32"}, {"48", "80"}})
    for (DType dtype : {DType::bf16, DType::f16, DType::f32})
      for (double scale : {1.0, 4.0, 16.0})
        checkByContract(
            backendFor("sim:sm_80"),
            {.name = "means",
             .spec = "block_mean",
             .settings = {{"block_q", bq}, {"block_k", bk}, {"pooled_queries", pooled[number++ % 2]}},
             .parameters = {{"keep", 0.2}, {"drop", 0.3}},
             .shape =
                 {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 210, .headDim = 24, .valueDim = 40},
             .dtype = dtype,
             .scale = scale});
}

TEST_CASE("gradients through more block means than a step has, and of wide heads", "[means]") {
  for (DType dtype : {DType::bf16, DType::f32})
    for (const char *pools : {"false", "true"}) {
      checkByContract(backendFor("sim:sm_80"),
                      {.name = "steps",
                       .spec = "block_mean",
                       .settings = {{"block_q", "16"}, {"block_k", "16"}, {"pooled_queries", pools}},
                       .parameters = {{"keep", 0.1}, {"drop", 0.2}},
                       .shape = {.heads = 1, .tokensQ = 70, .tokensK = 1300, .headDim = 16},
                       .dtype = dtype});
      checkByContract(backendFor("sim:sm_80"),
                      {.name = "wide heads",
                       .spec = "block_mean",
                       .settings = {{"pooled_queries", pools}},
                       .parameters = {{"keep", 0.3}},
                       .shape = {.heads = 2, .headsKV = 1, .tokensQ = 80, .tokensK = 200, .headDim = 256},
                       .dtype = dtype});
    }
}

TEST_CASE("gradients through block means where all are, none is, and beyond lengths", "[means]") {
  for (Given given : {Given::random, Given::broadcast, Given::allCritical, Given::allMarginal, Given::allNegligible})
    for (DType dtype : {DType::bf16, DType::f32})
      for (const char *pools : {"false", "true"})
        checkByContract(backendFor("sim:sm_80"),
                        {.name = "given",
                         .spec = "block_mean",
                         .settings = {{"block_q", "16"}, {"block_k", "16"}, {"pooled_queries", pools}},
                         .shape = {.batch = 3, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 110, .headDim = 24},
                         .dtype = dtype,
                         .queryLengths = {150, 90, 0},
                         .keyLengths = {46, 110, 50},
                         .given = given,
                         .layout = Layout::tokensFirst,
                         .poison = true});
}

TEST_CASE("kernels of gradients of block means in any legal order of events, with races looked for", "[means]") {
  for (const char *spec : {"block_mean", "mra2"})
    for (const char *target : {"sim:sm_80", "sim:sm_90a"})
      for (DType dtype : {DType::bf16, DType::f32})
        checkByContract(backendFor(target, /*adversarial=*/true),
                        {.name = "adversarial",
                         .spec = spec,
                         .parameters = {{"keep", 0.3}},
                         .shape = {.heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 140, .headDim = 64},
                         .dtype = dtype});
}

TEST_CASE("kernels of gradients of block means keep their registers and have no stack", "[means]") {
  checkResources("block_mean", "sm_80", 128, DType::bf16);
  checkResources("block_mean", "sm_80", 256, DType::f32);
  checkResources("mra2", "sm_90a", 128, DType::bf16);
}

TEST_CASE("all kernels of gradients of block means keep their registers and have no stack", "[.][registers]") {
  for (DType dtype : {DType::bf16, DType::f16, DType::f32})
    for (auto [target, headDim] : {std::pair{"sm_80", 64}, {"sm_80", 128}, {"sm_90a", 128}, {"sm_80", 256}})
      checkResources("block_mean", target, headDim, dtype);
  for (auto [target, headDim] : {std::pair{"sm_80", 64}, {"sm_80", 128}, {"sm_90a", 128}})
    checkResources("mra2", target, headDim, DType::bf16);
}
