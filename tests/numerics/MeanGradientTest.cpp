// Gradients through block means (docs/gradients.md#branches) against the oracle, within the contract.
#include "GradientRun.h"

using namespace tercet;
using namespace tercet::test;

TEST_CASE("gradients through block means, whatever blocks and heads", "[gradient]") {
  using Blocks = std::pair<const char *, const char *>;
  for (auto [bq, bk] : {Blocks{"16", "16"}, {"64", "32"}, {"48", "80"}})
    for (DType dtype : {DType::f32, DType::bf16, DType::f16})
      for (double scale : {1.0, 4.0})
        for (const char *pools : {"false", "true"})
          checkOnCpus({.name = "means",
                       .spec = "block_mean",
                       .settings = {{"block_q", bq}, {"block_k", bk}, {"pooled_queries", pools}},
                       .parameters = {{"keep", 0.2}, {"drop", 0.3}},
                       .shape = {.batch = 2,
                                 .heads = 4,
                                 .headsKV = 2,
                                 .tokensQ = 150,
                                 .tokensK = 210,
                                 .headDim = 24,
                                 .valueDim = 40},
                       .dtype = dtype,
                       .scale = scale});
}

TEST_CASE("gradients through more block means than one tile has", "[gradient]") {
  for (const char *pools : {"false", "true"})
    checkOnCpus({.name = "tiles",
                 .spec = "block_mean",
                 .settings = {{"block_q", "16"}, {"block_k", "16"}, {"pooled_queries", pools}},
                 .parameters = {{"keep", 0.1}, {"drop", 0.2}},
                 .shape = {.heads = 1, .tokensQ = 70, .tokensK = 1300, .headDim = 16}});
}

TEST_CASE("gradients through block means where all are, none is, and beyond lengths", "[gradient]") {
  for (Given given : {Given::random, Given::broadcast, Given::allCritical, Given::allMarginal, Given::allNegligible})
    for (const char *pools : {"false", "true"})
      checkOnCpus({.name = "given",
                   .spec = "block_mean",
                   .settings = {{"block_q", "16"}, {"block_k", "16"}, {"pooled_queries", pools}},
                   .shape = {.batch = 3, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 110, .headDim = 24},
                   .queryLengths = {150, 90, 0},
                   .keyLengths = {46, 110, 50},
                   .given = given,
                   .layout = Layout::padded,
                   .poison = true});
}

TEST_CASE("gradients through block means have the same bits on any number of threads", "[gradient]") {
  for (const char *pools : {"false", "true"})
    checkThreads({.name = "threads",
                  .spec = "block_mean",
                  .settings = {{"pooled_queries", pools}},
                  .parameters = {{"keep", 0.2}},
                  .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 250, .tokensK = 330, .headDim = 32}});
}
