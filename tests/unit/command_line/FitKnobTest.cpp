// Levels of a knob: what they are worth, and that a fraction of n blocks is as many blocks as it says, through f32 and the count rules.
#include "FitKnob.h"

#include <catch2/catch.hpp>

#include <cmath>

namespace tercet::cli {
namespace {

Result<FitKnob> knobOf(const std::string &spec) {
  auto loaded = loadSpec({.spec = spec, .settings = {}});
  REQUIRE(loaded.ok());
  return findKnob(*loaded, {.tokensQ = 100, .tokensK = 1000, .blocksQ = 2, .blocksK = 16});
}

} // namespace

TEST_CASE("a fraction of level / last of the blocks is level blocks", "[fit]") {
  for (int64_t last : {1, 3, 16, 49, 512, 1000, 32768})
    for (int64_t level = 0; level <= last; level += std::max<int64_t>(1, last / 101)) {
      FitKnob knob{"keep", FitKnob::Scale::fraction, last};
      double fraction = static_cast<float>(knob.value(level)), n = double(last);
      CHECK(std::floor(fraction * n + 1e-7 * n) == double(level)); // docs/spec.md#counts
    }
}

TEST_CASE("values rise with the level, from nothing to everything", "[fit]") {
  using Scale = FitKnob::Scale;
  for (Scale scale : {Scale::fraction, Scale::count, Scale::mass, Scale::tokens}) {
    FitKnob knob{"x", scale, 64};
    CHECK(knob.value(0) == 0);
    for (int64_t level = 1; level <= 64; ++level)
      CHECK(knob.value(level) > knob.value(level - 1));
  }
  CHECK(FitKnob{"x", Scale::mass, 64}.value(64) == 1);
  CHECK(FitKnob{"x", Scale::tokens, 64}.value(3) == 3 * FitKnob::tokenStep);
}

TEST_CASE("the knob of a spec", "[fit]") {
  auto topk = knobOf("sparse_topk"), sparge = knobOf("spargeattn"), streaming = knobOf("streaming");
  REQUIRE((topk.ok() && sparge.ok() && streaming.ok()));
  CHECK(topk->table() == "keep_per_head");
  CHECK(topk->last == 16);
  CHECK(sparge->scale == FitKnob::Scale::mass);
  CHECK(streaming->dtype() == DType::i32);
  CHECK(streaming->value(streaming->last) >= 1000);
  CHECK(!knobOf("dense").ok());
  CHECK(!knobOf("window").ok()); // two parameters, no one of them alone
}

} // namespace tercet::cli
