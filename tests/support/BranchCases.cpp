// Several branches per spec meet tails, lengths, groups of heads, every dtype, large scores and classes from outside.
#include "BranchCases.h"
#include "RaggedCases.h"

namespace tercet::test {
namespace {

using reference::Shape;
using Cases = std::vector<Case>;

constexpr const char *specs[] = {"gated_branches", "pooled_queries", "joint_branches", "heads_apart",
                                 "weighted_pools", "blended",        "three_ways",     "means_and_all"};

void addShapes(Cases &cases, const char *spec) {
  Case entry{.name = "branches", .spec = spec, .shape = raggedShape};
  cases.push_back(entry);
  for (auto [n, m] : {std::pair{1, 1}, {1, 65}, {65, 1}, {63, 129}, {130, 67}, {257, 300}}) {
    entry.shape = {.heads = 3, .tokensQ = n, .tokensK = m, .headDim = 32};
    cases.push_back(entry);
  }
  addRagged(cases, entry, "branches");
}

void addScales(Cases &cases, const char *spec) {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (double scale : {1.0, 4.0, 16.0})
      cases.push_back({.name = "branches of large scores",
                       .spec = spec,
                       .shape = {.heads = 2, .tokensQ = 150, .tokensK = 170, .headDim = 64},
                       .dtype = dtype,
                       .scale = scale});
}

} // namespace

void addBranchCases(std::vector<Case> &cases) {
  for (const char *spec : specs) {
    addShapes(cases, spec);
    addScales(cases, spec);
  }
  for (const char *spec : {"gated_branches", "pooled_queries", "joint_branches", "heads_apart", "blended"})
    for (Given given : {Given::random, Given::allCritical, Given::allMarginal})
      cases.push_back({.name = "branches and classes handed in", .spec = spec, .shape = raggedShape, .given = given});
  for (const char *spec : {"gated_branches", "pooled_queries", "blended"})
    cases.push_back({.name = "branches of wide values",
                     .spec = spec,
                     .shape = {.heads = 2, .tokensQ = 90, .tokensK = 70, .headDim = 16, .valueDim = 248}});
  for (const char *spec : {"three_ways", "means_and_all"})
    for (Given given : {Given::random, Given::broadcast, Given::allCritical, Given::allMarginal, Given::allNegligible})
      cases.push_back({.name = "means beside a linear branch, classes handed in",
                       .spec = spec,
                       .shape = raggedShape,
                       .given = given});
  for (const char *over : {"marginal", "non_critical", "all"})
    for (Weights weights : {Weights::absent, Weights::large, Weights::biasOnly})
      cases.push_back({.name = "a gated linear branch",
                       .spec = "blended",
                       .settings = {{"linear_over", over}},
                       .shape = raggedShape,
                       .weights = weights});
  for (const char *stride : {"1", "7", "24"})
    cases.push_back({.name = "pools that overlap",
                     .spec = "weighted_pools",
                     .settings = {{"stride", stride}},
                     .shape = raggedShape});
  for (const char *queries : {"1", "5", "64", "200"})
    cases.push_back(
        {.name = "pooled queries", .spec = "joint_branches", .settings = {{"n", queries}}, .shape = raggedShape});
}

void addPooledMeanCases(std::vector<Case> &cases) {
  const Shape shape{
      .batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 100, .tokensK = 150, .headDim = 32, .valueDim = 40};
  const Case base{.spec = "block_mean",
                  .settings = {{"block_q", "16"}, {"block_k", "16"}, {"pooled_queries", "true"}},
                  .parameters = {{"keep", 0.2}, {"drop", 0.2}},
                  .shape = shape};
  auto add = [&](std::string name, auto change) {
    Case entry = base;
    entry.name = "pooled queries, " + std::move(name);
    change(entry);
    cases.push_back(entry);
  };
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (double scale : {1.0, 4.0, 16.0})
      add("dtypes and scales", [&](Case &entry) { entry.dtype = dtype, entry.scale = scale; });
  for (Given given : {Given::random, Given::broadcast, Given::allCritical, Given::allMarginal, Given::allNegligible})
    add("given classes", [&](Case &entry) { entry.given = given; });
  add("lengths", [&](Case &entry) {
    entry.queryLengths = {60, 100}, entry.keyLengths = {150, 49}, entry.layout = Layout::padded;
    entry.poison = true;
  });
  add("more means than a tile",
      [&](Case &entry) { entry.shape = {.heads = 1, .tokensQ = 70, .tokensK = 1300, .headDim = 16}; });
  for (auto [queries, keys] : {std::pair{"64", "32"}, {"48", "80"}, {"128", "64"}})
    for (int64_t headDim : {64, 128, 256})
      add("blocks and dimensions", [&](Case &entry) {
        entry.settings["block_q"] = queries, entry.settings["block_k"] = keys;
        entry.shape = {.heads = 1, .tokensQ = 200, .tokensK = 330, .headDim = headDim};
        entry.dtype = DType::bf16;
      });
}

} // namespace tercet::test
