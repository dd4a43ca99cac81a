// Selection in the simulator, rule by rule and scope by scope: the classes are those of the text, to the last block.
#include "gpu/SelectionCase.h"
#include "gpu/SimulatedBackend.h"

#include <catch2/catch.hpp>

#include <limits>

using namespace tercet;
using namespace tercet::test;

namespace {

/// Scores of a sum of many shares are told apart down to this.
constexpr double f32Doubt = 1e-5;

void check(SimulatedBackend &backend, const SelectionSpec &spec, const SelectionCall &call) {
  reference::Data inputs = call.inputs();
  ExpectedClasses expected = expectClasses(spec, call, inputs["gate"]);
  REQUIRE(expected.nearestCut > f32Doubt);
  auto o = reference::OwnedTensor::make(DType::bf16, {call.batch, call.heads, call.tokensQ, 16});
  auto classes =
      reference::OwnedTensor::make(DType::i8, {call.batch, call.heads, call.blocksQ(), call.blocksK()}, 0x55);
  Arguments outputs;
  outputs.tensors = {{"o", o.view()}, {"classes", classes.view()}};
  Problem problem{.headDim = 16, .valueDim = 16, .dtype = DType::bf16};
  Spec text = spec.text();
  INFO(text.origin << ", keep " << call.keep << ", drop " << call.drop << ", min " << call.minKeep << ", max "
                   << call.maxKeep << ", sink " << call.sink << ", seed " << call.seed);
  Status status = backend.run(text, problem, call.arguments(inputs), outputs);
  INFO(status.message());
  REQUIRE(status.ok());
  std::string got, wanted;
  for (size_t index = 0; index < expected.values.size(); ++index) {
    bool newRow = index % static_cast<size_t>(call.blocksK()) == 0;
    got += std::string(newRow ? "\n" : "") + "-0+"[static_cast<const int8_t *>(classes.view().data)[index] + 1];
    wanted += std::string(newRow ? "\n" : "") + "-0+"[expected.values[index] + 1];
  }
  CHECK(got == wanted);
}

SimulatedBackend &plainBackend() {
  static SimulatedBackend backend("sim:sm_80");
  return backend;
}

} // namespace

TEST_CASE("every rule of keep names what the text says in every scope", "[selection]") {
  for (const char *keep : {"top_fraction", "top_count", "top_mass", "above", "relative", "percentile", "within_mass"})
    for (const char *scope : {"row", "head", "all_heads", "group"}) {
      SelectionSpec spec{.keep = keep, .scope = scope};
      bool isCount = spec.keep == "top_count";
      double few = isCount ? 2 : spec.keep == "above" ? 0.1 : 0.25;
      SelectionCall call{.batch = 1, .heads = 4, .headsKV = 2, .keep = few, .drop = 0.3};
      check(plainBackend(), spec, call);
      call.content = ScoreContent::ties;
      call.keep = isCount ? 5 : 0.4;
      call.drop = 0.21;
      check(plainBackend(), spec, call);
    }
}

TEST_CASE("bounds, budgets, forced blocks and lengths hold in every scope", "[selection]") {
  const std::vector<SelectionSpec> specs = {
      {.keep = "top_mass", .dropIsCount = true, .diagonal = true, .forcedCounts = true},
      {.keep = "top_fraction", .rounding = "ceil", .diagonal = true, .budgets = true},
      {.keep = "percentile", .scope = "head", .rounding = "round", .diagonal = true, .forcedCounts = true},
      {.keep = "top_count", .scope = "head", .budgets = true},
      {.keep = "top_mass", .scope = "all_heads", .diagonal = true, .forcedCounts = true},
      {.keep = "within_mass", .diagonal = true, .forcedCounts = true},
      {.keep = "within_mass", .scope = "head", .diagonal = true, .forcedCounts = true, .budgets = true},
      {.keep = "above", .scope = "all_heads", .budgets = true},
      {.keep = "relative", .scope = "group", .diagonal = true},
      {.keep = "top_mass", .scope = "group", .diagonal = true, .forcedCounts = true, .budgets = true}};
  for (const SelectionSpec &spec : specs) {
    SelectionCall call{.batch = 3,
                       .heads = 4,
                       .headsKV = 2,
                       .tokensQ = 90,
                       .tokensK = 330,
                       .keep = 0.35,
                       .drop = spec.dropIsCount ? 3.0 : 0.3,
                       .sink = 1,
                       .queryLengths = {90, 17, 0},
                       .keyLengths = {330, 100, 64},
                       .seed = 5};
    if (spec.budgets)
      call.budgets = spec.keep == "top_count" ? std::vector{3.7, 0.0, 1000.0, -2.0}
                                              : std::vector{0.2, std::numeric_limits<double>::quiet_NaN(), 0.15, 1.5};
    check(plainBackend(), spec, call);
    call.minKeep = spec.scope == "head" ? 20 : 9; // above what the rule names, and below
    check(plainBackend(), spec, call);
    call.minKeep = 0, call.maxKeep = 2;
    check(plainBackend(), spec, call);
    call.maxKeep = 1000, call.shared = true, call.content = ScoreContent::special;
    check(plainBackend(), spec, call);
  }
}

TEST_CASE("nothing to keep, everything to keep and a single block are no special cases", "[selection]") {
  for (auto [keep, scope] : {std::pair{"top_mass", "row"},
                             {"top_mass", "all_heads"},
                             {"within_mass", "row"},
                             {"within_mass", "all_heads"}}) {
    SelectionSpec spec{.keep = keep, .scope = scope};
    SelectionCall call{.heads = 2, .headsKV = 2, .keep = 0, .drop = 1};
    check(plainBackend(), spec, call);
    call.keep = 1, call.drop = 0;
    check(plainBackend(), spec, call);
    call.tokensQ = call.tokensK = 1, call.keep = 0.4;
    check(plainBackend(), spec, call);
  }
}

TEST_CASE("scopes are selected the same in any order of warps, without a race", "[selection]") {
  SimulatedBackend backend("sim:sm_80", rt::adversarialSimulation(3));
  for (const char *scope : {"row", "head", "all_heads", "group"}) {
    SelectionCall call{.batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 150, .keep = 0.6, .drop = 0.3};
    check(backend, {.keep = "top_mass", .scope = scope}, call);
  }
}
