// Gradients under token orders (docs/spec.md#token_order) against the oracle, within the contract.
#include "GradientRun.h"

using namespace tercet;
using namespace tercet::test;

TEST_CASE("gradients under token orders, with clipped tiles, text and grouped heads", "[gradient]") {
  // 5 x 6 x 7 tokens in tiles of 4 x 4 x 4, of which those at the far edges are clipped; 30 tokens of text.
  for (const char *place : {"suffix", "prefix", "none"})
    for (DType dtype : {DType::f32, DType::bf16})
      for (Given given : {Given::none, Given::random, Given::allNegligible}) {
        int64_t tokens = 5 * 6 * 7 + (place == std::string_view("none") ? 0 : 30);
        Case entry{.name = "order",
                   .spec = std::string("sparse_topk@") + place,
                   .parameters = {{"keep", 0.4}, {"grid_t", 5}, {"grid_y", 6}, {"grid_x", 7}},
                   .shape = {.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = tokens, .tokensK = tokens, .headDim = 24},
                   .dtype = dtype,
                   .given = given,
                   .layout = Layout::padded};
        checkOnCpus(entry);
      }
}
