// Attention on super rows (sm_90a, query blocks of 64 rows): what two warpgroups take together, each with its own blocks.
#include "gpu/SimulatedCase.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

namespace {

/// Odd and even numbers of query blocks, tails of both, other numbers of keys than of queries.
std::vector<Case> tails(const std::string &spec) {
  std::vector<Case> cases;
  for (auto [n, m] : {std::pair{1, 1}, {64, 65}, {65, 64}, {128, 200}, {129, 130}, {300, 333}})
    for (Given given : {Given::random, Given::none})
      cases.push_back({.name = "super row tail",
                       .spec = spec,
                       .parameters = {{"keep", 0.4}},
                       .shape = {.heads = 2, .tokensQ = n, .tokensK = m, .headDim = 64},
                       .dtype = DType::bf16,
                       .given = given});
  return cases;
}

std::vector<Case> headsAndLengths(const std::string &spec) {
  Case base{.name = "super row lengths",
            .spec = spec,
            .parameters = {{"keep", 0.3}, {"min_keep", 0}},
            .shape = {.batch = 3, .heads = 4, .headsKV = 2, .tokensQ = 200, .tokensK = 270, .headDim = 64},
            .dtype = DType::f16,
            .queryLengths = {200, 64, 130},
            .keyLengths = {270, 129, 0},
            .poison = true};
  Case given = base;
  given.given = Given::random;
  Case nothing = base;
  nothing.given = Given::allNegligible;
  return {base, given, nothing};
}

/// Key blocks of one tile, of several, and in tiles of 64 and 128 keys.
std::vector<Case> blocksAndDimensions(const std::string &spec) {
  std::vector<Case> cases;
  for (auto [dim, blockK] : {std::pair{64, "128"},
                             {64, "192"},
                             {64, "256"},
                             {128, "64"},
                             {128, "128"},
                             {192, "64"},
                             {256, "64"},
                             {256, "128"}})
    cases.push_back({.name = "super row blocks",
                     .spec = spec,
                     .settings = {{"block_k", blockK}},
                     .parameters = {{"keep", 0.5}},
                     .shape = {.tokensQ = 150, .tokensK = 520, .headDim = dim},
                     .dtype = DType::bf16,
                     .given = Given::random});
  cases.push_back({.name = "super row value dimension",
                   .spec = spec,
                   .parameters = {{"keep", 0.5}},
                   .shape = {.tokensQ = 150, .tokensK = 260, .headDim = 128, .valueDim = 64},
                   .dtype = DType::bf16});
  return cases;
}

void check(SimulatedBackend &backend, const std::vector<Case> &cases) {
  for (const Case &entry : cases) {
    INFO(entry.describe() << (entry.given == Given::none ? "" : ", classes handed in"));
    checkCase(backend, entry);
  }
}

/// The schedule that a case's attend kernel was compiled with.
std::string scheduleOf(SimulatedBackend &backend, const Case &entry) {
  PreparedCase prepared = prepare(entry);
  auto kernel = backend.kernelFor(prepared.spec, prepared.problem);
  INFO(kernel.status().message());
  REQUIRE(kernel.ok());
  return (*kernel)->module().kernels.back().schedule;
}

} // namespace

TEST_CASE("super rows keep the numerics contract", "[superrows]") {
  SimulatedBackend backend("sim:sm_90a");
  for (const char *spec : {"sparse_topk", "sla", "sla_all"}) {
    check(backend, tails(spec));
    check(backend, headsAndLengths(spec));
  }
  check(backend, tails("sla_non_critical"));
  for (const char *spec : {"sparse_topk", "sla"})
    check(backend, blocksAndDimensions(spec));
}

TEST_CASE("super rows hold in every order, with races looked for", "[superrows]") {
  for (uint64_t seed : {1, 2, 3}) {
    SimulatedBackend backend("sim:sm_90a", rt::adversarialSimulation(seed));
    INFO("seed " << seed);
    for (const char *spec : {"sparse_topk", "sla"}) {
      std::vector<Case> cases = tails(spec);
      check(backend, {cases.end() - 2, cases.end()});
      check(backend, headsAndLengths(spec));
    }
    Case parts = blocksAndDimensions("sla").at(7); // two tiles of 64 keys per entry
    check(backend, {parts});
  }
}

TEST_CASE("query blocks of 64 rows take warpgroups on sm_90a, others that do not fit take warps", "[superrows]") {
  SimulatedBackend backend("sim:sm_90a");
  Case entry{.spec = "sla", .shape = {.tokensQ = 64, .tokensK = 64, .headDim = 64}, .dtype = DType::bf16};
  CHECK(scheduleOf(backend, entry).find("2 x warpgroup, keys 64") != std::string::npos);
  entry.shape.headDim = 128;
  CHECK(scheduleOf(backend, entry).find("2 x warpgroup, keys 64") != std::string::npos);
  entry.settings = {{"block_k", "128"}};
  CHECK(scheduleOf(backend, entry).find("2 x warpgroup, keys 128") != std::string::npos);
  for (const char *rows : {"32", "192"}) {
    entry.settings = {{"block_q", rows}};
    CHECK(scheduleOf(backend, entry).find("x warp,") != std::string::npos);
  }
}

TEST_CASE("a super row fetches each of its entries once and stays within its instructions", "[superrows]") {
  constexpr int64_t dim = 128, tileBytes = 64 * dim * 2 * 2; // K and V of a key block
  SimulatedBackend backend("sim:sm_90a");
  // Both query blocks take `shared` key blocks, and each of them `own` of its own behind those.
  auto run = [&](int64_t shared, int64_t own) {
    Case entry{.spec = "sparse_topk",
               .shape = {.tokensQ = 128, .tokensK = 64 * 32, .headDim = dim},
               .dtype = DType::bf16,
               .given = Given::allNegligible};
    PreparedCase prepared = prepare(entry);
    const Tensor &classes = prepared.inputs["classes"];
    for (int64_t j = 0; j < shared + 2 * own; ++j)
      for (int64_t i = 0; i < 2; ++i)
        if (j < shared || j % 2 == i)
          classes.set(1, 0, 0, i, j);
    Status status = backend.run(prepared.spec, prepared.problem, prepared.arguments, prepared.outputs.arguments());
    INFO(status.message());
    REQUIRE(status.ok());
    CHECK(findFault(prepared, entry) == "");
    return backend.takeCounts("attend");
  };
  auto few = run(8, 0), many = run(16, 0), apart = run(0, 8);
  CHECK(many["async_bytes"] - few["async_bytes"] == 8 * tileBytes);
  CHECK(apart["async_bytes"] == many["async_bytes"]);
  CHECK(many["matrix_flop"] - few["matrix_flop"] == 8.0 * 2 * (4 * 64 * 64 * dim));
  CHECK(apart["matrix_flop"] == few["matrix_flop"]);
  // An item is 64 x 64: 4 warps; the producer's instructions and those of passing entries over are shared out.
  double perItem = (many["instructions"] - few["instructions"]) / (8 * 2 * 4);
  double passing = (apart["instructions"] - few["instructions"]) / (8 * 2 * 4);
  CAPTURE(perItem, passing);
  CHECK(perItem <= 375);
  CHECK(passing <= 60);
}
