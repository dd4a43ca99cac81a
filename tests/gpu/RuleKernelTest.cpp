// Rule bytes of masks and block sets in every scope: classes, lists with their partial entries, and linear sets.
#include "gpu/RuleKernels.h"
#include "tercet/compiler/cuda/Nvrtc.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

namespace {

RuleKernels compile(const SelectionSpec &spec, MemberRule members) {
  auto output = (*compiler::Nvrtc::get())->compile("rules", ruleKernelText(spec, members), "sm_80", /*ptxOnly=*/true);
  INFO((output.ok() ? "" : output.status().message() + "\n" + output.status().notes()[0].second));
  REQUIRE(output.ok());
  auto kernels = RuleKernels::parse(spec, output->ptx);
  INFO(kernels.status().message());
  REQUIRE(kernels.ok());
  return *std::move(kernels);
}

/// Bytes of all kinds: blocks in no rule, empty, partial, forced, forbidden, and in several at once.
std::vector<uint8_t> makeRules(const SelectionCall &call) {
  reference::RandomStream random(call.seed, "rules");
  std::vector<uint8_t> rules;
  for (int64_t index = 0; index < call.batch * call.heads * call.blocksQ() * call.blocksK(); ++index) {
    double chance = random.uniform(2 * index);
    rules.push_back(chance < 0.5 ? 0 : static_cast<uint8_t>(16 * random.uniform(2 * index + 1)));
    if (chance < 0.05)
      rules.back() = ruleEmpty;
  }
  return rules;
}

void compare(const SelectedRows &got, const SelectedRows &wanted) {
  CHECK(got.classes == wanted.classes);
  CHECK(got.lists == wanted.lists);
  CHECK(got.members == wanted.members);
}

sim::LaunchConfig inSeededOrder(uint64_t seed) {
  sim::LaunchConfig config;
  config.checks.races = true;
  config.order = sim::WarpOrder::seeded;
  config.quantum = 17;
  config.seed = seed;
  return config;
}

} // namespace

TEST_CASE("rule bytes decide before scores, in every scope", "[selection]") {
  const std::pair<const char *, MemberRule> rules[] = {
      {"top_mass", MemberRule::nonCritical}, {"top_fraction", MemberRule::full}, {"relative", MemberRule::negligible}};
  for (auto [keep, members] : rules)
    for (const char *scope : {"row", "head", "all_heads", "group"}) {
      SelectionSpec spec{
          .keep = keep, .scope = scope, .diagonal = true, .forcedCounts = std::string(keep) == "top_mass"};
      RuleKernels kernels = compile(spec, members);
      for (uint64_t seed : {1, 2, 3}) {
        SelectionCall call{.batch = 2,
                           .heads = 4,
                           .headsKV = 2,
                           .tokensQ = 150,
                           .tokensK = 600,
                           .keep = 0.45,
                           .drop = 0.2,
                           .sink = 1,
                           .seed = seed};
        if (seed == 2)
          call.queryLengths = {150, 33}, call.keyLengths = {577, 600};
        call.rules = makeRules(call);
        reference::Data inputs = call.inputs();
        ExpectedClasses expected = expectClasses(spec, call, inputs["gate"]);
        INFO(keep << " " << scope << ", seed " << seed << ", nearest cut " << expected.nearestCut);
        REQUIRE(expected.nearestCut > 1e-6);
        auto got = kernels.select(call, inputs["gate"], inSeededOrder(seed));
        INFO(got.status().message());
        REQUIRE(got.ok());
        compare(*got, rowsOf(call, expected.values, members));
      }
    }
}

TEST_CASE("classes handed in and patterns keep to rule bytes", "[selection]") {
  SelectionSpec spec;
  RuleKernels kernels = compile(spec, MemberRule::nonCritical);
  SelectionCall call{.batch = 1, .heads = 2, .headsKV = 1, .tokensQ = 150, .tokensK = 600};
  call.rules = makeRules(call);
  reference::RandomStream random(7, "classes");
  std::vector<int8_t> given, right, pattern;
  for (size_t index = 0; index < call.rules.size(); ++index) {
    given.push_back(static_cast<int8_t>(3 * random.uniform(index)) - 1);
    uint8_t rule = call.rules[index];
    bool isEmpty = rule & ruleEmpty, isPartial = rule & rulePartial;
    right.push_back(isEmpty ? -1 : isPartial && given.back() >= 0 ? 1 : given.back());
    pattern.push_back(isEmpty ? -1 : isPartial || rule & ruleForced ? 1 : 0);
  }
  for (bool isPattern : {false, true}) {
    auto got = kernels.take(call, isPattern ? nullptr : &given, inSeededOrder(1));
    INFO(got.status().message());
    REQUIRE(got.ok());
    compare(*got, rowsOf(call, isPattern ? pattern : right, MemberRule::nonCritical));
  }
}
