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

TEST_CASE("a forward under a token order takes lengths, its backward refuses them", "[gradient]") {
  Case entry{.name = "order and lengths",
             .spec = "sparse_topk@suffix",
             .parameters = {{"keep", 0.4}, {"grid_t", 4}, {"grid_y", 4}, {"grid_x", 6}},
             .shape = {.batch = 2, .heads = 2, .tokensQ = 110, .tokensK = 110, .headDim = 16},
             .queryLengths = {110, 60}};
  auto session = Session::create({.threads = 1, .useCache = false}, makeCompiler());
  REQUIRE(session.ok());
  int backwards = 0;
  GradientRun(entry).run([&](const Spec &spec, Problem problem, const Arguments &inputs, const Arguments &outputs) {
    auto kernel = (*session)->compile(spec, problem);
    REQUIRE(kernel.ok());
    Arguments all = inputs;
    all.tensors.insert(all.tensors.end(), outputs.tensors.begin(), outputs.tensors.end());
    all = takenBy((*kernel)->artifact().signature(), std::move(all));
    if (problem.direction == Direction::forward)
      return launch(**kernel, all);
    ++backwards;
    auto bytes = (*kernel)->workspaceBytes(all);
    const Status &status = bytes.status();
    CHECK(status.code() == Code::invalidArgument);
    CHECK_THAT(status.message(),
               Catch::Matchers::Contains("the backward of a spec with a token order takes no lengths"));
  });
  CHECK(backwards == 1);
}
