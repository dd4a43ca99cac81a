// The gradients of every built-in spec, and of the specs of several branches that tests have, against finite differences.
#include "FiniteDifference.h"

#include "support/SpecSource.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>

using namespace tercet;
using namespace tercet::test;

namespace {

std::vector<std::string> specsIn(const char *folder) {
  std::vector<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

/// Small sizes for whatever parameters a spec has: blocks of 16 tokens, cubes of as many, some blocks in every class.
GradientCall callOf(const std::string &name) {
  Spec spec = specNamed(name);
  for (auto [parameter, value] : {std::pair{"block_q", "16"},
                                  {"block_k", "16"},
                                  {"block", "16"},
                                  {"tile_t", "4"},
                                  {"tile_y", "2"},
                                  {"tile_x", "2"}})
    if (spec.text.find(fmt::format("param {} = ", parameter)) != std::string::npos &&
        spec.text.find(fmt::format("%{} = ", parameter)) != std::string::npos)
      spec.settings[parameter] = value;
  reference::Program program = programOf(spec);
  std::vector<std::pair<std::string, double>> parameters;
  auto set = [&](const char *parameter, double value) {
    if (std::find(program.parameters.begin(), program.parameters.end(), parameter) != program.parameters.end())
      parameters.emplace_back(parameter, value);
  };
  bool shares = program.selection && program.selection->keepUnit != reference::KeepUnit::count;
  set("keep", shares ? 0.4 : 2);
  set("drop", program.selection && program.selection->dropIsCount ? 1 : 0.2);
  set("top", 2);
  set("blocks", 3);
  if (program.order) { // some tokens are in clipped cubes, and where there is text 12 are that
    int width = program.order->text == TextPlace::none ? 6 : 5;
    for (auto [axis, size] :
         {std::pair{"frames", 4}, {"height", 3}, {"width", width}, {"grid_t", 4}, {"grid_y", 3}, {"grid_x", width}})
      set(axis, size);
  }
  return GradientCall::make(std::move(program), {.heads = 4, .headsKV = 2, .tokensQ = 72, .headDim = 8, .valueDim = 12},
                            1, std::move(parameters));
}

} // namespace

TEST_CASE("gradients of every built-in spec are those of finite differences", "[gradients]") {
  for (const std::string &name : specsIn("dialect/specs"))
    checkGradients(callOf(name));
}

TEST_CASE("gradients of the specs of tests are those of finite differences", "[gradients]") {
  for (const std::string &name : specsIn("tests/support/specs"))
    checkGradients(callOf(name));
}

TEST_CASE("gradients under token orders are those of finite differences", "[gradients]") {
  for (const char *name : {"tiled_branches@suffix", "tiled_branches@prefix", "tiled_branches@none", "block_mean@suffix",
                           "sla@prefix", "pooled_queries@none"})
    checkGradients(callOf(name));
}
