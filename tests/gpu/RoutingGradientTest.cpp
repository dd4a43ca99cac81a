// Gradients of query blocks of 1 to 8 tokens (docs/decisions/0025-token-routing.md) in the simulator, against the oracle by the contract
// of docs/numerics.md.
#include "gpu/SimulatedGradients.h"

#include "support/RaggedCases.h"

using namespace tercet;
using namespace tercet::test;

TEST_CASE("gradients of small query blocks in the simulator, whatever blocks and heads", "[routing]") {
  for (const char *rows : {"1", "4", "8"})
    for (const char *keys : {"16", "80", "256"})
      for (DType dtype : {DType::bf16, DType::f32})
        checkByContract(backendFor("sim:sm_80"),
                        {.name = "blocks",
                         .spec = rows[0] == '1' ? "moba" : "token_ranked",
                         .settings = {{"block_q", rows}, {"block_k", keys}},
                         .shape = {.heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 370, .headDim = 24},
                         .dtype = dtype});
}

TEST_CASE("gradients of small query blocks in the simulator with tails", "[routing]") {
  for (auto [n, m] : {std::pair{1, 1}, {1, 65}, {65, 2}, {64, 64}, {300, 257}})
    checkByContract(backendFor("sim:sm_80"), {.name = "tail",
                                              .spec = "token_ranked",
                                              .parameters = {{"keep", 0.3}},
                                              .shape = {.heads = 2, .tokensQ = n, .tokensK = m, .headDim = 32},
                                              .dtype = DType::bf16});
}

// Masks that cut blocks, a score region with a table, branches under gates; lengths, poison behind them, no query and no key.
TEST_CASE("gradients of small query blocks in the simulator, under regions, in branches and with classes handed in",
          "[routing]") {
  for (const char *spec : {"token_ranked", "token_routed", "moba", "nsa"}) {
    Case base{.name = "routed", .spec = spec, .settings = {{"block_k", "16"}}, .shape = raggedShape};
    if (base.spec == "nsa")
      base.parameters = {{"blocks", 2}, {"window", 20}};
    for (Given given : {Given::none, Given::random, Given::allNegligible}) {
      base.given = given;
      std::vector<Case> cases = {base};
      if (given != Given::allNegligible)
        addRagged(cases, base, "routed");
      for (Case &entry : cases) {
        if (entry.layout == Layout::padded) // to 16 bytes, on GPUs
          entry.layout = Layout::tokensFirst;
        checkByContract(backendFor("sim:sm_80"), entry);
      }
    }
  }
}

TEST_CASE("kernels of gradients of small query blocks in any legal order of events, with races looked for",
          "[routing]") {
  for (const char *target : {"sim:sm_80", "sim:sm_90a"})
    for (const char *spec : {"moba", "token_ranked", "nsa"}) {
      Case entry{.name = "routed",
                 .spec = spec,
                 .settings = {{"block_k", "16"}},
                 .shape = raggedShape,
                 .dtype = DType::bf16,
                 .queryLengths = {150, 81},
                 .keyLengths = {33, 170},
                 .poison = true};
      if (entry.spec == "nsa")
        entry.parameters = {{"blocks", 2}, {"window", 20}};
      checkByContract(backendFor(target, /*adversarial=*/true), entry);
    }
}

TEST_CASE("kernels of gradients of small query blocks spill nothing", "[routing][registers]") {
  for (const char *spec : {"moba", "nsa"})
    for (const char *target : {"sm_80", "sm_90a"})
      for (int64_t headDim : {64, 128})
        checkResources(spec, target, headDim, DType::bf16);
}
