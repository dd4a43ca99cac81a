// Gradients of query blocks of 1 to 8 tokens (docs/decisions/0025-token-routing.md) against the oracle, within the contract.
#include "GradientRun.h"

#include "support/RaggedCases.h"

using namespace tercet;
using namespace tercet::test;
using reference::Shape;

TEST_CASE("gradients of small query blocks, whatever blocks and heads", "[gradient][routing]") {
  for (const char *rows : {"1", "2", "4", "8"})
    for (const char *keys : {"16", "80", "256"})
      for (const char *spec : {"token_ranked", "moba"})
        for (DType dtype : {DType::f32, DType::bf16})
          checkOnCpus({.name = "blocks",
                       .spec = spec,
                       .settings = {{"block_q", rows}, {"block_k", keys}},
                       .shape = {.heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 370, .headDim = 24},
                       .dtype = dtype});
}

TEST_CASE("gradients of small query blocks with tails", "[gradient][routing]") {
  for (auto [n, m] : {std::pair{1, 1}, {1, 65}, {65, 1}, {3, 2}, {17, 63}, {64, 64}, {300, 257}})
    checkOnCpus({.name = "tail",
                 .spec = "token_ranked",
                 .parameters = {{"keep", 0.3}},
                 .shape = {.heads = 2, .tokensQ = n, .tokensK = m, .headDim = 32}});
  for (auto [d, dv] : {std::pair{8, 8}, {17, 40}, {64, 128}, {128, 64}})
    checkOnCpus({.name = "dims",
                 .spec = "token_ranked",
                 .shape = {.tokensQ = 70, .tokensK = 90, .headDim = d, .valueDim = dv}});
}

// Masks that cut blocks, a score region with a table, branches under gates; lengths, poison behind them, no query and no key.
TEST_CASE("gradients of small query blocks under regions, in branches and with classes handed in",
          "[gradient][routing]") {
  for (const char *spec : {"token_ranked", "token_routed", "moba", "nsa"}) {
    Case base{.name = "routed", .spec = spec, .settings = {{"block_k", "16"}}, .shape = raggedShape};
    if (base.spec == "nsa")
      base.parameters = {{"blocks", 2}, {"window", 20}};
    for (Given given : {Given::none, Given::random, Given::broadcast, Given::allCritical, Given::allNegligible}) {
      base.given = given;
      checkOnCpus(base);
      if (given != Given::none && given != Given::random)
        continue;
      std::vector<Case> ragged;
      addRagged(ragged, base, "routed");
      for (const Case &entry : ragged)
        checkOnCpus(entry);
    }
  }
}

TEST_CASE("gradients of small query blocks where scores are large", "[gradient][routing]") {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (double scale : {4.0, 16.0})
      checkOnCpus({.name = "scale",
                   .spec = "moba",
                   .settings = {{"block_k", "32"}},
                   .shape = {.heads = 2, .tokensQ = 170, .tokensK = 170, .headDim = 64},
                   .dtype = dtype,
                   .scale = scale,
                   .layout = Layout::padded});
}

TEST_CASE("gradients of small query blocks have the same bits on any number of threads", "[gradient][routing]") {
  for (const char *spec : {"token_ranked", "moba"})
    checkThreads({.name = "threads", .spec = spec, .settings = {{"block_k", "32"}}, .shape = raggedShape});
}
