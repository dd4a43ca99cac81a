// fit on made-up contenders, without any launch: who wins, what heads get, and what is said where nobody meets the bound.
#include "tercet/autotune/Fit.h"

#include <catch2/catch.hpp>

#include <cmath>

namespace tercet::tune {
namespace {

/// The error of head h at level l is scale_h 2^-l plus a floor; the time is one unit per level of every head.
struct MadeUp final : Contender {
  std::vector<double> scales;
  double floor, msPerLevel;
  int64_t last;
  int64_t launches = 0;

  MadeUp(std::vector<double> scales, double msPerLevel, double floor = 0, int64_t last = 32)
      : scales(std::move(scales)), floor(floor), msPerLevel(msPerLevel), last(last) {}
  int64_t lastLevel() const override { return last; }
  Result<HeadErrors> errors(const std::vector<int64_t> &levels) override {
    ++launches;
    HeadErrors errors;
    for (size_t head = 0; head < scales.size(); ++head)
      errors.perHead.push_back(scales[head] * std::exp2(-double(levels[head])) + floor);
    errors.overall = errors.worst() / 2;
    return errors;
  }
  Result<double> time(const std::vector<int64_t> &levels) override {
    double ms = 1;
    for (int64_t level : levels)
      ms += msPerLevel * double(level);
    return ms;
  }
};

Result<double> exactTime() { return 100.0; }

FitOptions options(int64_t heads) { return {.maxError = 0.05, .heads = heads, .curvePoints = 5, .repetitions = 3}; }

} // namespace

TEST_CASE("every head gets the smallest level that meets the bound, all in the same launches", "[fit]") {
  MadeUp one({1, 4, 0.01, 1024}, 1);
  auto result = fit({&one}, exactTime, options(4));
  REQUIRE(result.ok());
  const ContenderFit &found = result->contenders.front();
  CHECK(found.levels == std::vector<int64_t>{5, 7, 0, 15}); // 2^-5 < 0.05 < 2^-4, and so on
  CHECK(found.reached);
  CHECK(found.largestRise == 0);
  CHECK(found.errors.worst() <= 0.05);
  CHECK(found.times.median() == 1 + 5 + 7 + 15);
  CHECK(found.curve.size() == 5);
  CHECK(found.searchLaunches == one.launches);
  CHECK(one.launches <= 5 + 3 + 1); // the curve, bisection of 8 levels, the result
  CHECK(result->best == 0u);
  CHECK(result->exact.median() == 100);
}

TEST_CASE("the cheapest of those that meet the bound wins, whatever the others cost", "[fit]") {
  MadeUp dear({1, 1}, 3), cheap({2, 2}, 1), never({1, 1}, 0.1, 0.2);
  auto result = fit({&dear, &cheap, &never}, exactTime, options(2));
  REQUIRE(result.ok());
  CHECK(result->best == 1u);
  CHECK(!result->contenders[2].reached);
  CHECK(result->contenders[2].times.ms.empty());
}

TEST_CASE("where nobody meets the bound, the nearest is named", "[fit]") {
  MadeUp far({1}, 1, 0.4), near({1}, 1, 0.1);
  auto result = fit({&far, &near}, exactTime, options(1));
  REQUIRE(result.ok());
  CHECK(!result->best);
  CHECK(result->nearest == 1);
  CHECK(result->contenders[1].errors.worst() == Approx(0.1).epsilon(1e-6));
}

TEST_CASE("errors of heads: relative, over batch entries, without a finite number for what is not", "[fit]") {
  // [batch 2, heads 3, rows 1, features 2]
  std::vector<float> exact = {3, 4, 1, 0, 0, 0, /**/ 0, 0, 1, 0, 0, 0};
  std::vector<float> o = {3, 4.5f, 1, 0, 0, 1, /**/ 0, 0, 1, 0, 0, 0};
  auto view = [](std::vector<float> &values) { return Tensor::contiguous(values.data(), DType::f32, {2, 3, 1, 2}); };
  HeadErrors errors = headErrors(view(o), view(exact));
  CHECK(errors.perHead[0] == Approx(0.1));
  CHECK(errors.perHead[1] == 0);
  CHECK(std::isinf(errors.perHead[2])); // something stands for zero
  CHECK(errors.overall == Approx(std::sqrt(1.25 / 27)));
  CHECK(std::isinf(errors.worst()));
  o[2] = std::nanf("");
  CHECK(std::isinf(headErrors(view(o), view(exact)).perHead[1]));
}

} // namespace tercet::tune
