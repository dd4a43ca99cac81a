// Gradients of linear branches in the simulator (docs/gradients.md), against the oracle by the contract of docs/numerics.md.
#include "gpu/SimulatedGradients.h"

using namespace tercet;
using namespace tercet::test;

/// Tails on both sides, grouped heads, values of their own width.
static const reference::Shape tails{
    .batch = 1, .heads = 2, .headsKV = 1, .tokensQ = 150, .tokensK = 170, .headDim = 32, .valueDim = 48};

TEST_CASE("gradients of a linear branch over every set and with every feature map", "[linear]") {
  using Sets = std::pair<const char *, const char *>;
  for (auto [over, map] : {Sets{"marginal", "softmax"},
                           {"marginal", "relu"},
                           {"non_critical", "elu"},
                           {"all", "softmax"},
                           {"all", "relu"}})
    for (DType dtype : {DType::bf16, DType::f32})
      checkByContract(backendFor("sim:sm_80"), {.name = "sets",
                                                .spec = "sla",
                                                .settings = {{"linear_over", over}, {"feature_map", map}},
                                                .parameters = {{"keep", 0.3}, {"drop", 0.3}, {"eps", 1e-3}},
                                                .shape = tails,
                                                .dtype = dtype});
}

TEST_CASE("gradients of a linear branch alone, with and without classes", "[linear]") {
  for (const char *spec : {"linear", "linear_branch", "linear_projected"})
    for (DType dtype : {DType::f16, DType::f32}) {
      Case entry{.name = "alone", .spec = spec, .shape = tails, .dtype = dtype};
      entry.shape.tokensQ = 300; // two states of queries without classes
      checkByContract(backendFor("sim:sm_80"), entry);
    }
}

TEST_CASE("gradients of weights, given or not", "[linear]") {
  for (Weights weights : {Weights::present, Weights::large, Weights::weightOnly, Weights::biasOnly, Weights::absent})
    for (DType dtype : {DType::bf16, DType::f32})
      checkByContract(backendFor("sim:sm_80"), {.name = "weights",
                                                .spec = "sla",
                                                .parameters = {{"keep", 0.3}},
                                                .shape = tails,
                                                .dtype = dtype,
                                                .weights = weights});
}

TEST_CASE("gradients of a linear branch in groups of several pairs", "[linear]") {
  for (const char *over : {"marginal", "all"})
    for (DType dtype : {DType::bf16, DType::f32})
      checkByContract(backendFor("sim:sm_80"),
                      {.name = "groups",
                       .spec = "sla",
                       .settings = {{"linear_over", over}, {"block_q", "64"}, {"block_k", "32"}},
                       .parameters = {{"keep", 0.3}},
                       .shape = {.batch = 3, .heads = 8, .headsKV = 4, .tokensQ = 75, .tokensK = 90, .headDim = 16},
                       .dtype = dtype});
}

TEST_CASE("a call without gradients of weights gets the others", "[linear]") {
  Case entry{.name = "unwanted", .spec = "sla", .parameters = {{"keep", 0.3}}, .shape = tails, .dtype = DType::bf16};
  GradientRun all(entry), some(entry);
  some.without({"dw", "db"});
  Gradients expected = gradientsOf(backendFor("sim:sm_80"), all), got = gradientsOf(backendFor("sim:sm_80"), some);
  checkSame(got, expected);
}

TEST_CASE("parts of the gradients of weights are summed", "[linear]") {
  for (DType dtype : {DType::bf16, DType::f32})
    checkByContract(backendFor("sim:sm_80"), {.name = "parts",
                                              .spec = "linear_projected",
                                              .shape = {.heads = 1, .tokensQ = 300, .tokensK = 1100, .headDim = 16},
                                              .dtype = dtype});
}

TEST_CASE("gradients of a linear branch see nothing beyond lengths and strides", "[linear]") {
  for (const char *over : {"marginal", "all"})
    for (DType dtype : {DType::bf16, DType::f32}) {
      Case entry{.name = "lengths",
                 .spec = "sla",
                 .settings = {{"linear_over", over}},
                 .parameters = {{"keep", 0.3}},
                 .shape = tails,
                 .dtype = dtype,
                 .queryLengths = {0, 100, 150},
                 .keyLengths = {77, 170, 0},
                 .layout = Layout::tokensFirst,
                 .poison = true};
      entry.shape.batch = 3;
      checkByContract(backendFor("sim:sm_80"), entry);
    }
}

TEST_CASE("rows whose linear set is empty, or whose features are 0, give and get nothing", "[linear]") {
  for (Given given : {Given::random, Given::broadcast, Given::allCritical, Given::allMarginal, Given::allNegligible})
    checkByContract(backendFor("sim:sm_80"),
                    {.name = "given", .spec = "sla", .shape = tails, .dtype = DType::bf16, .given = given});
  for (DType dtype : {DType::bf16, DType::f32})
    checkByContract(backendFor("sim:sm_80"), {.name = "zeros",
                                              .spec = "linear_projected",
                                              .settings = {{"feature_map", "relu"}},
                                              .shape = tails,
                                              .dtype = dtype,
                                              .content = Content::negative});
}

TEST_CASE("gradients of a linear branch in blocks of other sizes, and of wide heads", "[linear]") {
  using Blocks = std::pair<const char *, const char *>;
  for (auto [bq, bk] : {Blocks{"128", "64"}, {"16", "48"}, {"48", "80"}})
    checkByContract(backendFor("sim:sm_80"), {.name = "blocks",
                                              .spec = "sla",
                                              .settings = {{"block_q", bq}, {"block_k", bk}},
                                              .parameters = {{"keep", 0.3}},
                                              .shape = tails,
                                              .dtype = DType::bf16});
  for (DType dtype : {DType::bf16, DType::f32})
    checkByContract(backendFor("sim:sm_80"), {.name = "wide",
                                              .spec = "sla",
                                              .parameters = {{"keep", 0.3}},
                                              .shape = {.heads = 1, .tokensQ = 70, .tokensK = 130, .headDim = 128},
                                              .dtype = dtype});
}

TEST_CASE("kernels of linear gradients under any legal order of events, with races looked for", "[linear]") {
  for (const char *over : {"marginal", "all"})
    for (const char *target : {"sim:sm_80", "sim:sm_90a"}) {
      Case entry{.name = "adversarial",
                 .spec = "sla",
                 .settings = {{"linear_over", over}},
                 .parameters = {{"keep", 0.3}},
                 .shape = {.batch = 1, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 140, .headDim = 64},
                 .dtype = DType::bf16};
      checkByContract(backendFor(target, /*adversarial=*/true), entry);
    }
}

TEST_CASE("linear gradients have the same bits run after run, and at any place in a batch", "[linear]") {
  Case entry{.name = "again", .spec = "sla", .parameters = {{"keep", 0.3}}, .shape = tails, .dtype = DType::bf16};
  GradientRun run(entry);
  Gradients first = gradientsOf(backendFor("sim:sm_80"), run);
  std::vector<double> dw = run.made("dw"), db = run.made("db");
  for (bool adversarial : {false, true}) {
    Gradients again = gradientsOf(backendFor("sim:sm_80", adversarial), run);
    checkSame(again, first);
    CHECK(run.made("dw") == dw);
    CHECK(run.made("db") == db);
  }
  entry.shape.batch = 3; // in groups of a pair
  GradientRun copies(entry);
  copies.copyTokens(run, /*sameHead=*/true);
  checkCopies(gradientsOf(backendFor("sim:sm_80"), copies), first);
}

TEST_CASE("kernels of linear gradients keep their registers and have no stack", "[linear]") {
  struct Kernels {
    const char *spec, *target;
    int64_t headDim;
    DType dtype;
  };
  for (auto [spec, target, headDim, dtype] : {Kernels{"sla", "sm_80", 64, DType::bf16},
                                              {"sla", "sm_90a", 128, DType::bf16},
                                              {"sla", "sm_80", 256, DType::bf16},
                                              {"sla", "sm_80", 128, DType::f32},
                                              {"linear", "sm_90a", 256, DType::f32}})
    checkResources(spec, target, headDim, dtype);
}
