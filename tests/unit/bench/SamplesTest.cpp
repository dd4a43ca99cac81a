#include "../../../bench/harness/Samples.h"

#include <catch2/catch.hpp>

#include <numeric>

using namespace tercet::bench;

static std::vector<double> upTo(int n) {
  std::vector<double> values(static_cast<size_t>(n));
  std::iota(values.rbegin(), values.rend(), 1.0); // n .. 1: order must not matter
  return values;
}

TEST_CASE("quartiles interpolate between ordered values", "[bench]") {
  Quartiles q = quartilesOf(upTo(5));
  CHECK(q.q1 == 2);
  CHECK(q.median == 3);
  CHECK(q.q3 == 4);
  CHECK(quartilesOf({1, 2}).median == 1.5);
}

TEST_CASE("the interval of the median is the narrowest that holds it with 90 %", "[bench]") {
  // Binomial(21, 1/2): P(X <= 6) = 0.0392, P(X <= 7) = 0.0946; so the 7th and the 15th of 21.
  MedianInterval of21 = medianInterval90(upTo(21));
  CHECK(of21.low == 7);
  CHECK(of21.high == 15);
  CHECK(of21.exact);
  // Five values: 2 / 32 outside the range; four: 2 / 16, too much.
  CHECK(medianInterval90(upTo(5)).exact);
  MedianInterval of4 = medianInterval90(upTo(4));
  CHECK_FALSE(of4.exact);
  CHECK(of4.low == 1);
  CHECK(of4.high == 4);
}

TEST_CASE("contenders take turns, once untimed and once per round", "[bench]") {
  std::string order;
  RepeatOptions options;
  options.repetitions = 2;
  options.probeMs = 0.01;
  options.waitLimit = 1e9; // nothing is taken again
  int kept = 0;
  options.afterKept = [&](size_t) { ++kept; };
  std::vector<Series> series = interleave({[&] { order += 'a'; }, [&] { order += 'b'; }}, options);
  CHECK(order == "ababab");
  CHECK(kept == 4);
  REQUIRE(series.size() == 2);
  CHECK(series[0].seconds.size() == 2);
  CHECK(series[1].peak.size() == 2);
  CHECK(series[1].retaken == 0);
}

TEST_CASE("a repetition that waits for a core is taken again, but not for ever", "[bench]") {
  RepeatOptions options;
  options.repetitions = 3;
  options.probeMs = 0.01;
  options.waitLimit = -1; // every repetition is beyond it
  int runs = 0;
  std::vector<Series> series = interleave({[&] { ++runs; }}, options);
  CHECK(series[0].retaken == 9);
  CHECK(series[0].disturbed == 3);
  CHECK(series[0].seconds.size() == 3);
  CHECK(runs == 1 + 9 + 3);
}
