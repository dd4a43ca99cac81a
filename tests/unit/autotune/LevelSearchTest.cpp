// LevelSearch on made-up curves: falling, noisy, flat, and never low enough.
#include "tercet/autotune/LevelSearch.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

namespace tercet::tune {
namespace {

/// Runs the search to its end; the number of levels that it measured.
int64_t settle(LevelSearch &search, const std::function<double(int64_t)> &error) {
  int64_t steps = 0;
  while (std::optional<int64_t> level = search.next()) {
    REQUIRE(!search.measured().count(*level)); // no level twice
    search.record(*level, error(*level));
    ++steps;
  }
  return steps;
}

} // namespace

TEST_CASE("the smallest level that meets the bound is found in logarithmically many steps", "[fit]") {
  for (int64_t last : {1, 2, 3, 7, 64, 1000, 4096})
    for (int64_t right = 0; right <= last; right += std::max<int64_t>(1, last / 13)) {
      LevelSearch search(last, 0.05);
      int64_t steps = settle(search, [&](int64_t level) { return 0.05 * std::exp2(double(right - level) / 10); });
      CHECK(search.found() == right);
      CHECK(search.largestRise() == 0);
      CHECK(steps <= 2 + std::ceil(std::log2(double(last)) + 1e-9));
    }
}

TEST_CASE("levels measured beforehand narrow the search", "[fit]") {
  auto error = [](int64_t level) { return 1 - double(level) / 1000; };
  LevelSearch search(1000, 0.3005);
  for (int64_t level : {0, 250, 500, 750, 1000})
    search.record(level, error(level));
  CHECK(settle(search, error) <= 8);
  CHECK(search.found() == 700);
}

TEST_CASE("a bound that the last level misses ends the search at once", "[fit]") {
  LevelSearch search(100, 0.05);
  CHECK(settle(search, [](int64_t) { return 0.2; }) == 1);
  CHECK(!search.found());
  LevelSearch broken(100, 0.05);
  settle(broken, [](int64_t) { return std::nan(""); });
  CHECK(!broken.found());
  CHECK(std::isinf(broken.measured().at(100)));
}

TEST_CASE("where the error rises, what is found meets the bound, and the rise is told", "[fit]") {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> curve;
    for (int64_t level = 0; level <= 64; ++level)
      curve.push_back(0.5 * std::exp(-double(level) / 16) * (1 + 0.3 * double(random() % 1000) / 1000));
    LevelSearch search(64, 0.05);
    for (int64_t level = 0; level <= 64; level += 8)
      search.record(level, curve[size_t(level)]);
    settle(search, [&](int64_t level) { return curve[size_t(level)]; });
    REQUIRE(search.found());
    CHECK(curve[size_t(*search.found())] <= 0.05);
    for (const auto &[level, error] : search.measured())
      if (level > *search.found())
        CHECK(error <= 0.05);
  }
  LevelSearch bump(4, 0.1);
  for (auto [level, error] : {std::pair<int64_t, double>{0, 0.5}, {1, 0.05}, {2, 0.25}, {4, 0.0}})
    bump.record(level, error);
  CHECK(bump.largestRise() == Approx(0.2));
  CHECK(bump.next() == 3); // the level below the bump is not trusted
}

} // namespace tercet::tune
