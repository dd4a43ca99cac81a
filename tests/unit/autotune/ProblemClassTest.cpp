#include "tercet/autotune/ProblemClass.h"

#include <catch2/catch.hpp>

#include <random>

using namespace tercet::tune;

static const ProblemShape base = {
    .batchHeads = 4, .headsPerKeyHead = 1, .queries = 8192, .keys = 8192, .kept = 0.0625, .overlap = 0.5};

template <typename Change> static double distanceOf(Change change) {
  ProblemShape other = base;
  change(other);
  return distance(classOf(base), classOf(other));
}

TEST_CASE("a class is made of the stated buckets", "[class]") {
  ProblemClass found = classOf(base);
  CHECK(found ==
        ProblemClass{.batchHeads = 2, .headsPerKeyHead = 0, .queries = 26, .keys = 26, .kept = -8, .overlap = 2});
  CHECK(found.text() == "bh 4, 8192 x 8192, kept 6.25 %, overlap 0.5");
  CHECK(classOf({.headsPerKeyHead = 4, .queries = 100}).text() == "bh 1, 91 x 1, kept 100 %, 4 per key head");
  CHECK(classOf({.queries = 9741}).queries == 26); // 8192 * 2^(1/4) = 9741.98: half-way
  CHECK(classOf({.queries = 9742}).queries == 27);
  CHECK(classOf({.batchHeads = 5}).batchHeads == 2); // 4 * sqrt(2) = 5.66
  CHECK(classOf({.batchHeads = 6}).batchHeads == 3);
  CHECK(classOf({.kept = 0}).kept == -20);
  CHECK(classOf({.kept = 1e-9}).kept == -20);
  CHECK(classOf({.kept = 1}).kept == 0);
  CHECK(classOf({}).overlap == -1);
  CHECK(classOf({.overlap = 1}).overlap == 4);
}

TEST_CASE("the distance is the documented sum", "[class]") {
  CHECK(distanceOf([](ProblemShape &) {}) == 0);
  CHECK(distanceOf([](ProblemShape &s) { s.queries = 8300; }) == 0);
  CHECK(distanceOf([](ProblemShape &s) { s.queries *= 2; }) == 0.5);
  CHECK(distanceOf([](ProblemShape &s) { s.queries *= 2, s.keys *= 2; }) == 1);
  CHECK(distanceOf([](ProblemShape &s) { s.batchHeads *= 8; }) == 1.5);
  CHECK(distanceOf([](ProblemShape &s) { s.headsPerKeyHead *= 4; }) == 2);
  CHECK(distanceOf([](ProblemShape &s) { s.kept /= 2; }) == 1);
  CHECK(distanceOf([](ProblemShape &s) { s.overlap = 1; }) == 0.5);
  CHECK(distanceOf([](ProblemShape &s) { s.overlap.reset(); }) == 0.25);
}

TEST_CASE("a kept fraction that only one class knows is half a unit", "[class]") {
  ProblemClass known = classOf(base), unknown = known;
  unknown.kept = keptUnknown;
  CHECK(distance(known, unknown) == 0.5);
  CHECK(distance(unknown, known) == 0.5);
  CHECK(distance(unknown, unknown) == 0);
  CHECK(unknown.text() == "bh 4, 8192 x 8192, overlap 0.5");
}

TEST_CASE("the distance is symmetric, 0 for equal classes alone, and obeys the triangle's rule where all is known",
          "[class]") {
  std::mt19937 random(3);
  auto upTo = [&](unsigned limit) { return static_cast<int64_t>(1 + random() % limit); };
  auto any = [&] {
    return classOf({.batchHeads = upTo(64),
                    .headsPerKeyHead = upTo(8),
                    .queries = upTo(65536),
                    .keys = upTo(65536),
                    .kept = static_cast<double>(random() % 101) / 100,
                    .overlap = static_cast<double>(random() % 101) / 100});
  };
  for (int round = 0; round < 1000; ++round) {
    ProblemClass a = any(), b = any(), c = any();
    CHECK(distance(a, b) == distance(b, a));
    CHECK((distance(a, b) == 0) == (a == b));
    CHECK(distance(a, c) <= distance(a, b) + distance(b, c) + 1e-12);
  }
}
