// Gradients by warpgroups (sm_90a) in the simulator: against plain loops in fp64, which schedules passes take, and what a step costs.
#include "gpu/SimulatedGradients.h"

using namespace tercet;
using namespace tercet::test;
using Catch::Matchers::Contains;

/// What a backward's passes were compiled with, a line each.
static std::string schedulesOf(const std::string &target, const Case &entry) {
  Problem problem{.headDim = entry.shape.headDim,
                  .valueDim = entry.shape.valueDim ? entry.shape.valueDim : entry.shape.headDim,
                  .dtype = entry.dtype,
                  .direction = Direction::backward};
  auto kernel = backendFor(target).kernelFor(specNamed(entry.spec, entry.settings), problem);
  INFO(kernel.status().message());
  REQUIRE(kernel.ok());
  std::string schedules;
  for (const KernelInfo &info : (*kernel)->module().kernels)
    if (info.name.rfind("gradient_queries", 0) == 0 || info.name.rfind("gradient_keys", 0) == 0)
      schedules += info.name + " " + info.schedule + "\n";
  return schedules;
}

TEST_CASE("gradients by warpgroups in the simulator", "[gradient][warpgroups]") {
  // Tails on both sides, fewer rows than a warpgroup has, heads that share keys, several steps of the rings per slot.
  const reference::Shape shapes[] = {
      {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 70, .tokensK = 330, .headDim = 64},
      {.batch = 1, .heads = 3, .headsKV = 1, .tokensQ = 300, .tokensK = 65, .headDim = 128},
      {.batch = 1, .heads = 1, .tokensQ = 5, .tokensK = 3, .headDim = 128},
      {.batch = 1, .heads = 2, .tokensQ = 129, .tokensK = 128, .headDim = 128, .valueDim = 64}};
  for (const reference::Shape &shape : shapes)
    for (DType dtype : {DType::bf16, DType::f16})
      checkByLoops(backendFor("sim:sm_90a"), {.name = "dense", .spec = "dense", .shape = shape, .dtype = dtype});
}

TEST_CASE("gradients by warpgroups see nothing beyond lengths and strides", "[gradient][warpgroups]") {
  for (const char *spec : {"dense", "sparse_topk"}) {
    Case entry{.name = "lengths",
               .spec = spec,
               .shape = {.batch = 4, .heads = 2, .headsKV = 1, .tokensQ = 170, .tokensK = 190, .headDim = 64},
               .dtype = DType::bf16,
               .queryLengths = {0, 50, 170, 65},
               .keyLengths = {77, 65, 0, 190},
               .layout = Layout::tokensFirst,
               .poison = true};
    if (std::string_view(spec) == "sparse_topk")
      entry.parameters = {{"keep", 0.6}};
    checkByLoops(backendFor("sim:sm_90a"), entry);
    checkByLoops(backendFor("sim:sm_90a", /*adversarial=*/true), entry);
  }
}

TEST_CASE("gradients of listed blocks by warpgroups, a block each or several together", "[gradient][warpgroups]") {
  using Blocks = std::pair<const char *, const char *>;
  for (auto [bq, bk] : {Blocks{"64", "64"}, {"128", "64"}, {"64", "128"}, {"128", "128"}, {"256", "64"}})
    for (Given given : {Given::none, Given::random, Given::broadcast}) {
      Case entry{.name = "lists",
                 .spec = "sparse_topk",
                 .settings = {{"block_q", bq}, {"block_k", bk}},
                 .parameters = {{"keep", 0.3}},
                 .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 310, .tokensK = 330, .headDim = 64},
                 .dtype = DType::bf16,
                 .queryLengths = {310, 100},
                 .keyLengths = {33, 330},
                 .given = given,
                 .poison = true};
      checkByLoops(backendFor("sim:sm_90a"), entry);
    }
}

TEST_CASE("passes of a backward take warpgroups where these can run them", "[gradient][warpgroups]") {
  Case entry{.spec = "dense", .shape = {.headDim = 128}, .dtype = DType::bf16};
  auto schedules = [&] { return schedulesOf("sim:sm_90a", entry); };
  for (const char *spec : {"dense", "sparse_topk", "sla"})
    for (int64_t headDim : {64, 128}) {
      entry.spec = spec;
      entry.shape.headDim = headDim;
      INFO(spec << " " << headDim);
      std::string all = schedules(),
                  passes = all.substr(0, all.find("gradient_keys_sums")); // which add, and multiply nothing
      CHECK_THAT(passes, Contains("gradient_keys") && !Contains("x warp,"));
    }
  entry.spec = "sparse_topk";
  entry.settings = {
      {"block_q", "192"}}; // rows of query blocks are not warpgroups', as columns they come in tiles of 64
  CHECK_THAT(schedules(), Contains("gradient_queries #tkern.gpu_schedule<4 x warp,") &&
                              Contains("gradient_keys #tkern.gpu_schedule<2 x warpgroup,"));
  entry.settings = {};
  entry.shape.headDim = 96;
  CHECK_THAT(schedules(), !Contains("x warpgroup,"));
  entry.shape.headDim = 128;
  entry.spec = "causal";
  CHECK_THAT(schedules(), !Contains("x warpgroup,"));
  entry.spec = "dense";
  entry.dtype = DType::f32;
  CHECK_THAT(schedules(), !Contains("x warpgroup,"));
}

/// What a kernel of a dense backward counts per item, 64 x 64 pairs of a warpgroup: the difference of 16 and 8 tiles of columns that
/// meet the rows of two workers.
static double perItem(const std::string &kernel, const std::string &count, int64_t headDim, bool ofKeys) {
  auto run = [&](int64_t cols) {
    Case entry{.spec = "dense",
               .shape = {.batch = 1,
                         .heads = 1,
                         .tokensQ = ofKeys ? cols : 128,
                         .tokensK = ofKeys ? 128 : cols,
                         .headDim = headDim},
               .dtype = DType::bf16};
    GradientRun of(entry);
    SimulatedBackend &backend = backendFor("sim:sm_90a");
    backend.takeCounts(kernel);
    gradientsOf(backend, of);
    return backend.takeCounts(kernel)[count];
  };
  return (run(16 * 64) - run(8 * 64)) / (8 * 2);
}

TEST_CASE("a step of a gradient by warpgroups stays within its instructions", "[gradient][warpgroups]") {
  constexpr int64_t dim = 128, tileBytes = 2 * 64 * dim * 2, numberBytes = 2 * 64 * 4;
  CHECK(perItem("gradient_queries", "matrix_flop", dim, false) == 3.0 * 2 * 64 * 64 * dim);
  CHECK(perItem("gradient_keys", "matrix_flop", dim, true) == 4.0 * 2 * 64 * 64 * dim);
  CHECK(perItem("gradient_queries", "async_bytes", dim, false) == tileBytes / 2.0); // two workers share a tile
  CHECK(perItem("gradient_keys", "async_bytes", dim, true) == (tileBytes + numberBytes) / 2.0);
  double queries = perItem("gradient_queries", "instructions", dim, false) / 4;
  double keys = perItem("gradient_keys", "instructions", dim, true) / 4;
  CAPTURE(queries, keys, perItem("gradient_queries", "instructions", 64, false) / 4,
          perItem("gradient_keys", "instructions", 64, true) / 4);
  CHECK(queries <= 360);
  CHECK(keys <= 420);
}
