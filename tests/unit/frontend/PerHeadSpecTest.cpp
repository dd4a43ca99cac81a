// makePerHead: what becomes a table over heads, that the result is a spec, and what is refused.
#include "tercet/compiler/PerHeadSpec.h"

#include "tercet/compiler/SpecInfo.h"

#include <catch2/catch.hpp>

#include <algorithm>

namespace tercet::compiler {
namespace {

std::string builtin(const std::string &name) {
  for (const BuiltinSpecInfo &spec : listBuiltinSpecs())
    if (spec.name == name)
      return spec.text;
  FAIL("no spec " + name);
  return "";
}

std::string refusal(const std::string &spec, const std::string &parameter, const std::string &table = "values") {
  auto text = makePerHead({builtin(spec)}, parameter, table);
  REQUIRE(!text.ok());
  return text.status().message();
}

} // namespace

TEST_CASE("keep becomes budgets in every built-in spec that selects by a runtime parameter", "[per-head]") {
  int found = 0;
  for (const BuiltinSpecInfo &spec : listBuiltinSpecs()) {
    auto before = inspectSpec({spec.text});
    REQUIRE(before.ok());
    const auto &selection = before->program.selection;
    if (!selection || !selection->keep.isRuntime || selection->keep.parameter.empty() || !selection->budgets.empty())
      continue;
    INFO(spec.name);
    auto text = makePerHead({spec.text}, selection->keep.parameter, "values_per_head");
    if (!text.ok()) { // a parameter that is not keep alone
      CHECK(text.status().message().find("which takes one value for all heads") != std::string::npos);
      continue;
    }
    auto after = inspectSpec({*text});
    REQUIRE(after.ok());
    CHECK(after->program.selection->budgets == "values_per_head");
    CHECK(after->program.tables.back().axes == std::vector<int64_t>{static_cast<int64_t>(TableAxis::head)});
    CHECK(after->inputs().size() == before->inputs().size() + 1);
    ++found;
  }
  CHECK(found >= 8);
}

TEST_CASE("a value of regions becomes a table that they read, and the parameter goes", "[per-head]") {
  auto text = makePerHead({builtin("streaming"), "s", {{"sink", "7"}}}, "window", "windows");
  REQUIRE(text.ok());
  auto info = inspectSpec({*text});
  REQUIRE(info.ok());
  CHECK(!info->find("window"));
  CHECK(info->find("sink")->value == "7"); // settings become defaults
  REQUIRE(info->program.tables.size() == 1);
  CHECK(info->program.tables.front().dtype == DType::i32);
  auto cap = makePerHead({builtin("softcap")}, "cap", "caps");
  REQUIRE(cap.ok());
  CHECK(inspectSpec({*cap})->program.tables.front().dtype == DType::f32);
}

TEST_CASE("what one value serves for all heads is refused", "[per-head]") {
  CHECK(refusal("sla", "drop").find("'drop' is an operand of tercet.select") != std::string::npos);
  CHECK(refusal("sparse_topk", "block_q").find("no runtime parameter 'block_q' that is a number") != std::string::npos);
  CHECK(refusal("sparse_topk", "nothing").find("no runtime parameter 'nothing'") != std::string::npos);
  CHECK(refusal("sparse_topk", "keep", "q").find("cannot take a table 'q'") != std::string::npos);
  auto once = makePerHead({builtin("sparse_topk")}, "keep", "first");
  REQUIRE(once.ok());
  auto twice = makePerHead({*once}, "keep", "second");
  REQUIRE(!twice.ok());
  CHECK(twice.status().message().find("budgets per head already") != std::string::npos);
}

} // namespace tercet::compiler
