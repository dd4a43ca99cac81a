// Gradients of several branches, gates and pools (docs/gradients.md#branches) by compiled kernels against the oracle, within the
// contract.
#include "GradientRun.h"

using namespace tercet;
using namespace tercet::test;

static const reference::Shape shape{
    .batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 170, .headDim = 24, .valueDim = 20};

TEST_CASE("gradients of a gated sum of compressed, selected and local attention", "[gradient]") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (double scale : {1.0, 4.0})
      checkOnCpus({.name = "nsa", .spec = "nsa/16", .shape = shape, .dtype = dtype, .scale = scale});
}

TEST_CASE("gradients of gated branches and of weighted pools", "[gradient]") {
  for (const char *spec : {"gated_branches", "weighted_pools", "pooled_queries"})
    for (DType dtype : {DType::f32, DType::bf16})
      checkOnCpus({.name = "gates", .spec = spec, .shape = shape, .dtype = dtype});
}

// Scores of pools exceed those of tokens by hundreds: P is exact only relative to a maximum among them.
TEST_CASE("gradients of a joint softmax whose parts lie far apart", "[gradient]") {
  for (double scale : {4.0, 16.0})
    checkOnCpus({.name = "apart", .spec = "weighted_pools", .shape = shape, .scale = scale});
  // Their P add up to 1 together, but for what rounding makes of scores of this size.
  for (const reference::Shape &of :
       {shape, reference::Shape{.batch = 1, .heads = 4, .tokensQ = 300, .tokensK = 300, .headDim = 64}})
    checkOnCpus({.name = "together", .spec = "joint_pools", .shape = of, .scale = 16, .seed = 0});
}

TEST_CASE("gradients of branches under token orders", "[gradient]") {
  // 3 x 5 x 7 tokens in cubes of 4 x 4 x 4, clipped at the far edges, and 15 of text.
  for (DType dtype : {DType::f32, DType::bf16})
    checkOnCpus({.name = "cubes",
                 .spec = "vsa",
                 .parameters = {{"keep", 0.4}, {"frames", 3}, {"height", 5}, {"width", 7}},
                 .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 120, .tokensK = 120, .headDim = 24},
                 .dtype = dtype,
                 .layout = Layout::padded});
}

TEST_CASE("gradients of branches see nothing beyond lengths", "[gradient]") {
  for (const char *spec : {"nsa/16", "weighted_pools", "pooled_queries"})
    checkOnCpus({.name = "lengths",
                 .spec = spec,
                 .shape = {.batch = 3, .heads = 4, .headsKV = 2, .tokensQ = 130, .tokensK = 140, .headDim = 24},
                 .queryLengths = {0, 100, 130},
                 .keyLengths = {77, 129, 0},
                 .layout = Layout::padded,
                 .poison = true});
}

TEST_CASE("gradients of branches have the same bits on any number of threads", "[gradient]") {
  checkThreads({.name = "threads", .spec = "nsa/16", .shape = shape});
}

TEST_CASE("gradients of weights of pools have the same bits on any number of threads", "[gradient]") {
  GradientRun run({.name = "weights", .spec = "weighted_pools", .shape = shape});
  run.withTables();
  for (const std::string &target : cpuTargets()) {
    run.run(target, 1);
    std::vector<double> ofKeys = run.made("dof_keys"), ofValues = run.made("dof_values");
    for (int threads : {2, 3, 7}) {
      run.run(target, threads);
      CHECK(run.made("dof_keys") == ofKeys);
      CHECK(run.made("dof_values") == ofValues);
    }
  }
}
