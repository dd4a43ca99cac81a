// Gradients under token orders (docs/spec.md#token_order) in the simulator, against the oracle by the contract of docs/numerics.md.
#include "gpu/SimulatedGradients.h"

using namespace tercet;
using namespace tercet::test;

/// 5 x 6 x 7 tokens in tiles of 4 x 4 x 4, of which those at the far edges are clipped, and 30 tokens of text.
static Case onGrid(const std::string &text, DType dtype) {
  int64_t tokens = 5 * 6 * 7 + (text == "none" ? 0 : 30);
  return {.name = "order",
          .spec = "sparse_topk@" + text,
          .parameters = {{"keep", 0.4}, {"grid_t", 5}, {"grid_y", 6}, {"grid_x", 7}},
          .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = tokens, .tokensK = tokens, .headDim = 24},
          .dtype = dtype,
          .layout = Layout::tokensFirst};
}

TEST_CASE("gradients under token orders in the simulator, with clipped tiles, text and grouped heads", "[order]") {
  for (const char *text : {"suffix", "prefix", "none"})
    for (DType dtype : {DType::bf16, DType::f32})
      for (Given given : {Given::none, Given::random, Given::allNegligible}) {
        Case entry = onGrid(text, dtype);
        entry.given = given;
        checkByContract(backendFor("sim:sm_80"), entry);
      }
}

TEST_CASE("kernels of gradients under token orders in any legal order of events, with races looked for", "[order]") {
  for (const char *target : {"sim:sm_80", "sim:sm_90a"})
    checkByContract(backendFor(target, /*adversarial=*/true), onGrid("suffix", DType::bf16));
}
