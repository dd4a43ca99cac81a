// Gradients of compiled specs in the simulator (docs/gradients.md), against plain loops in fp64, within the bounds of
// docs/numerics.md.
#include "gpu/SimulatedGradients.h"

using namespace tercet;
using namespace tercet::test;

TEST_CASE("gradients of dense attention in the simulator", "[gradient]") {
  const reference::Shape shapes[] = {
      {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 70, .tokensK = 130, .headDim = 64},
      {.batch = 1, .heads = 1, .tokensQ = 5, .tokensK = 3, .headDim = 128},
      {.batch = 1, .heads = 2, .tokensQ = 61, .tokensK = 135, .headDim = 80, .valueDim = 48}};
  for (const reference::Shape &shape : shapes)
    for (DType dtype : {DType::bf16, DType::f16, DType::f32})
      checkByLoops(backendFor("sim:sm_80"), {.name = "dense", .spec = "dense", .shape = shape, .dtype = dtype});
}

TEST_CASE("accumulators of keys that no thread holds together are two kernels'", "[gradient]") {
  Case entry{.name = "wide heads",
             .spec = "dense",
             .shape = {.batch = 1, .heads = 2, .headsKV = 1, .tokensQ = 40, .tokensK = 50, .headDim = 256},
             .dtype = DType::bf16};
  checkByLoops(backendFor("sim:sm_80"), entry);
  entry.dtype = DType::f32;
  checkByLoops(backendFor("sim:sm_80"), entry);
}

TEST_CASE("gradients in the simulator see nothing beyond lengths and strides", "[gradient]") {
  Case entry{.name = "lengths",
             .spec = "dense",
             .shape = {.batch = 3, .heads = 2, .headsKV = 1, .tokensQ = 70, .tokensK = 90, .headDim = 48},
             .queryLengths = {0, 50, 70},
             .keyLengths = {77, 65, 0},
             .layout = Layout::tokensFirst,
             .poison = true};
  for (DType dtype : {DType::f32, DType::bf16}) {
    entry.dtype = dtype;
    checkByLoops(backendFor("sim:sm_80"), entry);
  }
}

TEST_CASE("gradients of listed blocks in the simulator", "[gradient]") {
  using Blocks = std::pair<const char *, const char *>;
  for (auto [bq, bk] : {Blocks{"64", "64"}, {"16", "48"}, {"128", "64"}, {"48", "80"}})
    for (Given given : {Given::none, Given::random, Given::broadcast}) {
      Case entry{.name = "lists",
                 .spec = "sparse_topk",
                 .settings = {{"block_q", bq}, {"block_k", bk}},
                 .parameters = {{"keep", 0.3}},
                 .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 170, .tokensK = 190, .headDim = 32},
                 .dtype = DType::bf16,
                 .queryLengths = {170, 100},
                 .keyLengths = {33, 190},
                 .given = given,
                 .poison = true};
      checkByLoops(backendFor("sim:sm_80"), entry);
    }
}

TEST_CASE("kernels of gradients under any legal order of events, with races looked for", "[gradient]") {
  for (const char *spec : {"dense", "sparse_topk"})
    for (const char *target : {"sim:sm_80", "sim:sm_90a"}) {
      Case entry{.name = "adversarial",
                 .spec = spec,
                 .shape = {.batch = 1, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 140, .headDim = 64},
                 .dtype = DType::bf16};
      if (std::string_view(spec) == "sparse_topk")
        entry.parameters = {{"keep", 0.7}};
      checkByLoops(backendFor(target, /*adversarial=*/true), entry);
    }
}

TEST_CASE("gradients in the simulator have the same bits run after run", "[gradient]") {
  Case entry{.name = "again",
             .spec = "dense",
             .shape = {.batch = 1, .heads = 2, .tokensQ = 90, .tokensK = 70, .headDim = 64},
             .dtype = DType::bf16};
  for (const char *target : {"sim:sm_80", "sim:sm_90a"}) {
    GradientRun run(entry);
    Gradients first = gradientsOf(backendFor(target), run);
    for (bool adversarial : {false, true}) {
      Gradients again = gradientsOf(backendFor(target, adversarial), run);
      checkSame(again, first);
    }
  }
}

TEST_CASE("kernels of gradients keep their registers and have no stack", "[gradient]") {
  for (auto [target, headDim] :
       {std::pair{"sm_80", 64}, {"sm_80", 128}, {"sm_90a", 64}, {"sm_90a", 128}, {"sm_90a", 192}, {"sm_80", 256}})
    checkResources("sparse_topk", target, headDim, DType::bf16);
}
