// The oracle against values worked out by hand.
#include "Tiny.h"

#include <cmath>

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;
using Kind = Branch::Kind;

static const double ln2 = std::log(2.0), ln3 = std::log(3.0);

TEST_CASE("softmax attention of two keys", "[oracle]") {
  Program program{.branches = {makeBranch(Kind::sparse)}};
  Evaluation result =
      Tiny().tokens("q", {{1}}).tokens("k", {{0}, {ln3}}).tokens("v", {{0, 8}, {4, 0}}).evaluate(program);
  CHECK(result.result().o[0] == near(3)); // weights 1/4 and 3/4
  CHECK(result.result().o[1] == near(2));
  CHECK(result.result().lse[0] == near(2 * ln2));
}

TEST_CASE("an auto scale is one over the root of the head dimension", "[oracle]") {
  Program program{.branches = {makeBranch(Kind::sparse)}, .parameters = {"scale"}};
  program.branches[0].scale = {"scale", 0, true, true};
  Tiny tiny;
  tiny.tokens("q", {{2, 0, 0, 0}}).tokens("k", {{0, 1, 1, 1}, {ln3, 5, 5, 5}}).tokens("v", {{0}, {4}});
  CHECK(tiny.evaluate(program).result().o[0] == near(3));
  tiny.parameter("scale", 0.0625);
  CHECK(tiny.evaluate(program).result().o[0] == near(4 * std::pow(3, 0.125) / (1 + std::pow(3, 0.125))));
}

TEST_CASE("a row without a live key is zero, with a log-sum-exp of minus infinity", "[oracle]") {
  Program program{.selection = pairBlocks(), .branches = {makeBranch(Kind::sparse, criticalBit)}};
  Evaluation result =
      Tiny().tokens("q", {{1}}).tokens("k", {{1}, {2}}).tokens("v", {{1}, {2}}).classes({{0}}).evaluate(program);
  CHECK(result.result().o[0] == 0);
  CHECK(result.result().lse[0] == -INFINITY);
}

TEST_CASE("linear attention weighs values by products of features", "[oracle]") {
  Program program{.branches = {makeBranch(Kind::linear)}, .parameters = {"eps"}};
  program.branches[0].eps = {"eps", 0, false, true};
  Tiny tiny;
  SECTION("relu") {
    program.branches[0].featureMap = FeatureMap::relu;
    tiny.tokens("q", {{2, -5}}).tokens("k", {{1, 9}, {3, 9}, {-7, 9}}).tokens("v", {{1}, {2}, {50}});
    CHECK(tiny.evaluate(program).result().o[0] == near(14.0 / 8)); // weights 2, 6, 0
    tiny.parameter("eps", 2);
    CHECK(tiny.evaluate(program).result().o[0] == near(1.4));
  }
  SECTION("relu of nothing positive is zero, not NaN") {
    program.branches[0].featureMap = FeatureMap::relu;
    tiny.tokens("q", {{-2}}).tokens("k", {{1}}).tokens("v", {{3}});
    CHECK(tiny.evaluate(program).result().o[0] == 0);
  }
  SECTION("elu + 1") {
    program.branches[0].featureMap = FeatureMap::elu;
    tiny.tokens("q", {{1}}).tokens("k", {{-ln2}, {2}}).tokens("v", {{7}, {0}}); // weights 2 * 1/2 and 2 * 3
    CHECK(tiny.evaluate(program).result().o[0] == near(1));
  }
  SECTION("softmax over features, without a scale") {
    program.branches[0].featureMap = FeatureMap::softmax;
    tiny.tokens("q", {{0, ln3}}).tokens("k", {{0, 0}, {ln3, 0}}).tokens("v", {{7}, {0}});
    // features (1/4, 3/4) of q, (1/2, 1/2) and (3/4, 1/4) of k: weights 1/2 and 3/8
    CHECK(tiny.evaluate(program).result().o[0] == near(4));
  }
}

TEST_CASE("block means enter the softmax with their token counts", "[oracle]") {
  Program program{.selection = pairBlocks()};
  program.branches = {makeBranch(Kind::sparse, criticalBit), makeBranch(Kind::blockMean, marginalBit),
                      makeBranch(Kind::joint)};
  program.branches[2].inputs = {0, 1};
  program.output = 2;
  // Block 0 exact: keys 0 and ln 2, weights 1 and 2. Block 1 by its mean ln 3 and both tokens: weight 2 * 3 = 6,
  // value 3. Block 2 is a tail of one token: weight 1, value 10.
  Evaluation result = Tiny()
                          .tokens("q", {{1}})
                          .tokens("k", {{0}, {ln2}, {ln3 - 1}, {ln3 + 1}, {0}})
                          .tokens("v", {{6}, {3}, {2}, {4}, {10}})
                          .classes({{1, 0, 0}})
                          .evaluate(program);
  CHECK(result.branches[0].o[0] == near(4));
  CHECK(result.branches[0].lse[0] == near(ln3));
  CHECK(result.branches[1].o[0] == near(4));
  CHECK(result.branches[1].lse[0] == near(std::log(7.0)));
  CHECK(result.result().o[0] == near((6 + 6 + 18 + 10) / 10.0));
  CHECK(result.result().lse[0] == near(std::log(10.0)));
}

TEST_CASE("a projection is O W^T + b, added to the exact branch", "[oracle]") {
  Program program{.selection = pairBlocks(), .weights = {"w", "b"}};
  program.branches = {makeBranch(Kind::sparse, criticalBit), makeBranch(Kind::linear, marginalBit),
                      makeBranch(Kind::project), makeBranch(Kind::sum)};
  program.branches[1].featureMap = FeatureMap::relu;
  program.branches[2].inputs = {1};
  program.branches[2].weight = "w";
  program.branches[2].bias = "b";
  program.branches[3].inputs = {0, 2};
  program.output = 3;
  Tiny tiny;
  tiny.tokens("q", {{1}, {1}, {1}}).tokens("k", {{5}, {5}, {1}, {3}});
  tiny.tokens("v", {{10, 20}, {30, 40}, {4, 0}, {0, 8}}).classes({{1, 0}, {-1, -1}});
  SECTION("with both") {
    tiny.matrix("w", {{1, 2}, {3, 5}}).vector("b", DType::f64, {100, 200});
    Evaluation result = tiny.evaluate(program);
    CHECK(result.branches[0].o[1] == near(30));
    CHECK(result.branches[1].o[0] == near(1)); // weights 1/4 and 3/4: O_l = (1, 6)
    CHECK(result.branches[1].o[1] == near(6));
    CHECK(result.branches[2].o[0] == near(13 + 100));
    CHECK(result.branches[2].o[1] == near(33 + 200));
    CHECK(result.result().o[0] == near(20 + 113));
    CHECK(result.result().o[1] == near(30 + 233));
    CHECK(result.result().lse[0] == near(5 + ln2));
    // Row 2 is of query block 1, where nothing is computed: the bias alone.
    CHECK(result.result().o[4] == near(100));
    CHECK(result.result().o[5] == near(200));
    CHECK(result.result().lse[2] == -INFINITY);
  }
  SECTION("absent: the identity and nothing") {
    Evaluation result = tiny.evaluate(program);
    CHECK(result.result().o[0] == near(21));
    CHECK(result.result().o[1] == near(36));
  }
}

TEST_CASE("rows and keys beyond the lengths take no part", "[oracle]") {
  Program program{.selection = pairBlocks(), .branches = {makeBranch(Kind::sparse, criticalBit)}};
  program.selection->keep.value = 1;
  Evaluation result = Tiny()
                          .tokens("q", {{1}, {NAN}, {NAN}})
                          .tokens("k", {{0}, {NAN}, {NAN}})
                          .tokens("v", {{5}, {INFINITY}, {NAN}})
                          .vector("q_len", DType::i32, {1})
                          .vector("k_len", DType::i32, {1})
                          .evaluate(program);
  CHECK(result.result().o == std::vector<double>{5, 0, 0});
  CHECK(result.result().lse == std::vector<double>{0, -INFINITY, -INFINITY});
  CHECK(result.classes.values == std::vector<int8_t>{1, -1, -1, -1});
}

TEST_CASE("a subset of rows gives the rows of the whole", "[oracle]") {
  Program program{.selection = pairBlocks(), .branches = {makeBranch(Kind::sparse, criticalBit)}};
  Tiny tiny;
  tiny.tokens("q", {{1}, {-1}, {2}, {-2}, {3}})
      .tokens("k", {{1}, {2}, {-3}, {1}, {5}})
      .tokens("v", {{1}, {2}, {3}, {4}, {5}});
  Evaluation whole = tiny.evaluate(program);
  EvaluateOptions options;
  options.rows = {{0, 0, 4}, {0, 0, 1}};
  auto part = evaluate(program, tiny.arguments(), options);
  REQUIRE(part.ok());
  CHECK(part->result().o == std::vector<double>{whole.result().o[4], whole.result().o[1]});
  CHECK(part->classes.at(0, 0, 1, 0) == ClassMap::notEvaluated);
  CHECK(part->classes.at(0, 0, 2, 1) == whole.classes.at(0, 0, 2, 1));
  options.rows = {{0, 0, 5}};
  CHECK(evaluate(program, tiny.arguments(), options).status().message() == "row (0, 0, 5) lies outside of [1, 1, 5]");
}
