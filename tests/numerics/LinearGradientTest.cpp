// Gradients of linear branches and projections (docs/gradients.md#branches) against the oracle, within the contract.
#include "GradientRun.h"

using namespace tercet;
using namespace tercet::test;

/// Tails, value dimensions of their own that no slice divides, groups of heads, one row.
static const reference::Shape shapes[] = {
    {.batch = 2, .heads = 2, .headsKV = 1, .tokensQ = 90, .tokensK = 150, .headDim = 32},
    {.batch = 1, .heads = 1, .tokensQ = 61, .tokensK = 205, .headDim = 80, .valueDim = 48},
    {.batch = 1, .heads = 3, .headsKV = 1, .tokensQ = 190, .tokensK = 70, .headDim = 20, .valueDim = 7},
    {.batch = 2, .heads = 1, .tokensQ = 1, .tokensK = 3, .headDim = 64},
};

TEST_CASE("gradients of a linear branch alone, for every feature map", "[gradient]") {
  for (const char *map : {"softmax", "elu", "relu"})
    for (const reference::Shape &shape : shapes)
      for (DType dtype : {DType::f32, DType::bf16})
        checkOnCpus(
            {.name = "linear", .spec = "linear", .settings = {{"feature_map", map}}, .shape = shape, .dtype = dtype});
}

TEST_CASE("gradients of SLA for every linear set and map", "[gradient]") {
  for (const char *over : {"marginal", "non_critical", "all"})
    for (const char *map : {"softmax", "elu", "relu"})
      for (DType dtype : {DType::f32, DType::bf16, DType::f16})
        if (dtype == DType::f32 || map == std::string_view("softmax"))
          checkOnCpus({.name = "sla",
                       .spec = "sla",
                       .settings = {{"linear_over", over}, {"feature_map", map}, {"block_q", "32"}, {"block_k", "16"}},
                       .parameters = {{"keep", 0.2}, {"drop", 0.3}},
                       .shape = shapes[0],
                       .dtype = dtype});
}

TEST_CASE("gradients of SLA at scaled scores and other shapes", "[gradient]") {
  for (const reference::Shape &shape : {shapes[0], shapes[1], shapes[2]}) // the mean error of one row is one error
    for (double scale : {1.0, 4.0, 16.0})
      for (DType dtype : {DType::f32, DType::bf16})
        checkOnCpus({.name = "scaled", .spec = "sla", .shape = shape, .dtype = dtype, .scale = scale});
}

TEST_CASE("gradients of SLA where sets are empty, full, or handed in, and blocks of every kind", "[gradient]") {
  using Blocks = std::pair<const char *, const char *>;
  for (auto [bq, bk] : {Blocks{"16", "16"}, {"128", "64"}, {"48", "80"}})
    for (Given given :
         {Given::random, Given::broadcast, Given::allCritical, Given::allMarginal, Given::allNegligible}) {
      Case entry{
          .name = "given",
          .spec = "sla",
          .settings = {{"block_q", bq}, {"block_k", bk}},
          .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 110, .headDim = 24},
          .queryLengths = {150, 90},
          .keyLengths = {46, 110},
          .given = given,
          .poison = true,
      };
      checkOnCpus(entry);
    }
}

TEST_CASE("gradients of SLA by the weights that are there", "[gradient]") {
  for (Weights weights : {Weights::absent, Weights::weightOnly, Weights::biasOnly, Weights::large})
    for (DType dtype : {DType::f32, DType::bf16})
      checkOnCpus({.name = "weights", .spec = "sla", .shape = shapes[0], .dtype = dtype, .weights = weights});
}

TEST_CASE("rows without features, and those beyond lengths, have no gradient through a linear branch", "[gradient]") {
  Case entry{.name = "relu",
             .spec = "sla",
             .settings = {{"feature_map", "relu"}},
             .shape = {.batch = 4, .heads = 2, .headsKV = 1, .tokensQ = 130, .tokensK = 140, .headDim = 48},
             .queryLengths = {0, 100, 130, 130},
             .keyLengths = {77, 129, 0, 140},
             .layout = Layout::padded,
             .poison = true};
  checkOnCpus(entry);
  entry.content = Content::negative; // all features are 0, and so is every denominator
  checkOnCpus(entry);
  entry.settings = {};
  entry.layout = Layout::tokensFirst;
  checkOnCpus(entry);
}

TEST_CASE("gradients of SLA have the same bits at any place in a batch, on any number of threads", "[gradient]") {
  Case one{.name = "place",
           .spec = "sla",
           .parameters = {{"keep", 0.2}},
           .shape = {.heads = 1, .tokensQ = 250, .tokensK = 330, .headDim = 32}};
  Case many = one;
  many.shape.batch = 3;
  many.shape.heads = 2;
  GradientRun alone(one), copies(many);
  copies.copyTokens(alone, /*sameHead=*/false);
  for (const std::string &target : cpuTargets()) {
    Gradients expected = alone.run(target), before = copies.run(target, 1);
    std::vector<double> dw = copies.made("dw"), db = copies.made("db");
    for (int threads : {1, 2, 3, 7}) {
      INFO(target << " on " << threads << " threads");
      Gradients got = copies.run(target, threads);
      CHECK(copies.made("dw") == dw);
      CHECK(copies.made("db") == db);
      checkSame(got, before);
      checkCopies(got, expected);
    }
  }
}

TEST_CASE("a gradient of a weight that is not asked for changes no other", "[gradient]") {
  Case entry{.name = "weights", .spec = "sla", .shape = shapes[0]};
  for (const std::string &target : cpuTargets()) {
    GradientRun all(entry), some(entry);
    Gradients expected = all.run(target), got = some.without({"dw"}).run(target);
    checkSame(got, expected);
    CHECK(some.made("db") == all.made("db"));
  }
}
