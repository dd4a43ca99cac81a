// Gradients under masks and score regions in the simulator (docs/gradients.md), against the oracle by the contract of docs/numerics.md.
#include "gpu/SimulatedGradients.h"

using namespace tercet;
using namespace tercet::test;

/// Tails on both sides, grouped heads, rows and columns of several tiles.
static const reference::Shape masked{
    .batch = 3, .heads = 4, .headsKV = 2, .tokensQ = 170, .tokensK = 190, .headDim = 32};

TEST_CASE("gradients of masks and score regions in the simulator", "[regions]") {
  for (const char *spec :
       {"causal", "window", "softcap", "alibi", "document", "prefix_lm", "relative_bias", "bias", "temperature"})
    for (DType dtype : {DType::bf16, DType::f32})
      checkByContract(backendFor("sim:sm_80"), {.name = "regions", .spec = spec, .shape = masked, .dtype = dtype});
  Case wide{.name = "regions",
            .spec = "softcap",
            .shape = {.heads = 2, .headsKV = 1, .tokensQ = 90, .tokensK = 70, .headDim = 128},
            .dtype = DType::f16};
  checkByContract(backendFor("sim:sm_80"), wide);
}

TEST_CASE("gradients under masks and score regions see nothing beyond lengths", "[regions]") {
  for (const char *spec : {"causal", "document", "temperature", "window", "moba/16"})
    for (DType dtype : {DType::bf16, DType::f32})
      checkByContract(backendFor("sim:sm_80"), {.name = "lengths",
                                                .spec = spec,
                                                .shape = masked,
                                                .dtype = dtype,
                                                .queryLengths = {0, 100, 170},
                                                .keyLengths = {77, 190, 0},
                                                .layout = Layout::tokensFirst,
                                                .poison = true});
}

TEST_CASE("rows that a mask leaves no key, and keys that it leaves no row, have gradients of 0", "[regions]") {
  for (DType dtype : {DType::bf16, DType::f32}) {
    Case entry{.name = "empty rows",
               .spec = "window",
               .parameters = {{"left", -150}, {"right", 160}}, // a query sees the keys 150 to 160 behind it
               .shape = masked,
               .dtype = dtype};
    checkByContract(backendFor("sim:sm_80"), entry);
  }
}

TEST_CASE("gradients of windows of steps, of which some are empty", "[regions]") {
  for (const char *spec : {"causal", "window"})
    checkByContract(backendFor("sim:sm_80"),
                    {.name = "windows",
                     .spec = spec,
                     .shape = {.batch = 1, .heads = 1, .tokensQ = 40, .tokensK = 2300, .headDim = 16},
                     .dtype = DType::f32});
}

TEST_CASE("gradients of listed blocks that a mask cuts", "[regions]") {
  for (Given given : {Given::none, Given::random, Given::broadcast})
    for (const char *spec : {"moba/16", "bigbird", "causal_sla", "document_bands"})
      checkByContract(backendFor("sim:sm_80"), {.name = "cut blocks",
                                                .spec = spec,
                                                .shape = masked,
                                                .dtype = DType::bf16,
                                                .queryLengths = {170, 100, 33},
                                                .keyLengths = {33, 190, 170},
                                                .given = given,
                                                .poison = true});
}

TEST_CASE("kernels of gradients under masks in any legal order of events, with races looked for", "[regions]") {
  for (const char *spec : {"causal", "softcap", "document", "moba/16"})
    for (const char *target : {"sim:sm_80", "sim:sm_90a"})
      checkByContract(backendFor(target, /*adversarial=*/true),
                      {.name = "adversarial",
                       .spec = spec,
                       .shape = {.batch = 1, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 140, .headDim = 64},
                       .dtype = DType::bf16});
}

TEST_CASE("kernels of gradients under masks keep their registers and have no stack", "[regions]") {
  for (const char *spec : {"causal", "softcap"})
    for (const char *target : {"sm_80", "sm_90a"})
      for (int64_t headDim : {64, 128})
        checkResources(spec, target, headDim, DType::bf16);
}

TEST_CASE("a gradient that does not fit into shared memory is refused by name", "[regions]") {
  Result<Artifact> artifact = makeCompiler()->compile(
      specNamed("causal"),
      {.headDim = 256, .valueDim = 256, .dtype = DType::f32, .target = "sm_86", .direction = Direction::backward});
  REQUIRE(!artifact.ok());
  CHECK(artifact.status().code() == Code::unsupportedTarget);
  CHECK(artifact.status().message() ==
        "kernel gradient_queries has no schedule for head dimensions 256 and 256 in the shared memory of sm_86");
}
