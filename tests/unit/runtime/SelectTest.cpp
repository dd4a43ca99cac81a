#include "BuiltinCase.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace tercet;
using namespace tercet::test;

namespace {

int64_t scoreColumns; // of the running case: what a compiled block_scores kernel has built in

/// Stands for the compiled kernel: "mean" rows hold the scores themselves.
void givenScores(const int64_t *slots, int64_t, int64_t, int64_t, char *) {
  const float *rows = reinterpret_cast<const float *>(slots[0]);
  float *out = reinterpret_cast<float *>(slots[2]);
  for (int64_t r = 0; r < slots[3]; ++r)
    for (int64_t j = 0; j < slots[4] * 64; ++j)
      out[r * slots[4] * 64 + j] = j < scoreColumns ? rows[r * scoreColumns + j] : poison;
}

struct SelectCase {
  int64_t batch = 1, headsKV = 1, repeat = 1, tokensQ = 0, tokensK = 0, blockQ = 64, blockK = 64, blocksQ = 0,
          blocksK = 0;
  std::vector<int32_t> qLengths, kLengths;
  double keep = 0, drop = 0;
  bool keepIsCount = false, dropIsCount = false, diagonal = false, forcedCounts = false;
  CountRule rule = CountRule::floor;
  int64_t minKeep = 1, sink = 0;
  std::vector<float> scores; // [batch, heads, blocksQ, blocksK]

  std::vector<int8_t> run() {
    std::vector<int8_t> classes(size_t(batch * headsKV * repeat * blocksQ * blocksK), 77);
    int64_t heads = headsKV * repeat;
    scoreColumns = blocksK;
    SelectSlots slots = {scores.data(),
                         nullptr,
                         classes.data(),
                         heads * blocksQ * blocksK,
                         blocksQ * blocksK,
                         blocksK,
                         pointerTo(qLengths),
                         pointerTo(kLengths),
                         headsKV,
                         repeat,
                         tokensQ,
                         tokensK,
                         blocksK,
                         0,
                         blockQ,
                         blockK,
                         blocksQ,
                         blocksK,
                         ceilDiv(blocksK, 64),
                         1.0,
                         keep,
                         drop,
                         keepIsCount,
                         dropIsCount,
                         int64_t(rule),
                         minKeep,
                         sink,
                         diagonal,
                         forcedCounts};
    runBuiltin("select", slots, ceilDiv(blocksQ, 64), batch * heads, givenScores);
    return classes;
  }
};

int64_t countOf(double amount, bool isCount, CountRule rule, int64_t n) {
  double count = isCount                    ? amount
                 : rule == CountRule::floor ? std::floor(amount * n + 1e-9 * n)
                 : rule == CountRule::ceil  ? std::ceil(amount * n - 1e-9 * n)
                                            : std::floor(amount * n + 0.5);
  return std::min<int64_t>(int64_t(count), n);
}

/// The rule by sorting: semantics.md-style statement, one row.
std::vector<int8_t> expectedRow(const SelectCase &c, const float *scores, int64_t i, int64_t liveQ, int64_t liveK) {
  std::vector<int8_t> row(size_t(c.blocksK), -1);
  int64_t n = ceilDiv(liveK, c.blockK);
  if (i * c.blockQ >= liveQ)
    return row;
  std::vector<bool> forced(size_t(n), false);
  for (int64_t j = 0; j < n; ++j) {
    int64_t qEnd = std::min((i + 1) * c.blockQ, liveQ), kEnd = std::min((j + 1) * c.blockK, liveK);
    bool meets = std::max(i * c.blockQ, j * c.blockK) < std::min(qEnd, kEnd);
    forced[size_t(j)] = j < c.sink || (c.diagonal && meets);
  }
  std::vector<int64_t> order;
  for (int64_t j = 0; j < n; ++j)
    if (!forced[size_t(j)])
      order.push_back(j);
  auto rank = [&](int64_t j) { // NaN lowest
    return std::isnan(scores[j]) ? std::pair(0, 0.0f) : std::pair(1, scores[j]);
  };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return rank(a) > rank(b); });
  int64_t forcedCount = n - int64_t(order.size()), keep = countOf(c.keep, c.keepIsCount, c.rule, n);
  if (c.keep > 0)
    keep = std::min(std::max(keep, c.minKeep), n);
  if (c.forcedCounts)
    keep = std::max<int64_t>(0, keep - forcedCount);
  keep = std::min<int64_t>(keep, int64_t(order.size()));
  for (int64_t j = 0; j < n; ++j)
    row[size_t(j)] = forced[size_t(j)];
  for (int64_t place = 0; place < keep; ++place)
    row[size_t(order[size_t(place)])] = 1;
  std::vector<int64_t> rest(order.begin() + keep, order.end());
  std::sort(rest.begin(), rest.end());
  std::stable_sort(rest.begin(), rest.end(), [&](int64_t a, int64_t b) { return rank(a) < rank(b); });
  int64_t drop = std::min<int64_t>(countOf(c.drop, c.dropIsCount, c.rule, n), int64_t(rest.size()));
  for (int64_t place = 0; place < drop; ++place)
    row[size_t(rest[size_t(place)])] = -1;
  return row;
}

SelectCase randomCase(unsigned seed) {
  Random random(seed);
  SelectCase c;
  c.batch = random.from(1, 2), c.headsKV = random.from(1, 2), c.repeat = random.from(1, 2);
  c.tokensQ = random.from(1, seed % 20 == 0 ? 9000 : 900), c.tokensK = random.from(1, 900);
  c.blockQ = random.pick({8, 16, 64}), c.blockK = random.pick({4, 16, 64});
  c.blocksQ = ceilDiv(c.tokensQ, c.blockQ), c.blocksK = ceilDiv(c.tokensK, c.blockK);
  c.qLengths = randomLengths(random, c.batch, c.tokensQ), c.kLengths = randomLengths(random, c.batch, c.tokensK);
  c.keepIsCount = random.chance(0.3), c.dropIsCount = random.chance(0.3);
  c.keep = c.keepIsCount ? double(random.upTo(30)) : random.pick({0.0, 0.05, 0.1, 0.5, 1.0, 0.35});
  c.drop = c.dropIsCount ? double(random.upTo(30)) : random.pick({0.0, 0.1, 0.25, 0.6});
  c.rule = random.pick({CountRule::floor, CountRule::ceil, CountRule::round});
  c.minKeep = random.upTo(3), c.sink = random.chance(0.4) ? random.upTo(6) : 0;
  c.diagonal = random.chance(0.4), c.forcedCounts = random.chance(0.4);
  c.scores.resize(size_t(c.batch * c.headsKV * c.repeat * c.blocksQ * c.blocksK));
  bool manyTies = random.chance(0.4);
  for (float &score : c.scores) {
    score = manyTies ? float(random.upTo(4)) - 2 : random.normal();
    if (random.chance(0.02))
      score = random.pick({poison, -poison, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-40f, 3e38f});
  }
  return c;
}

} // namespace

TEST_CASE("select agrees with sorting, for every rule, tie and odd score", "[builtin]") {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SelectCase c = randomCase(seed);
    std::vector<int8_t> expected;
    const float *scores = c.scores.data();
    for (int64_t b = 0; b < c.batch; ++b)
      for (int64_t h = 0; h < c.headsKV * c.repeat; ++h)
        for (int64_t i = 0; i < c.blocksQ; ++i, scores += c.blocksK) {
          std::vector<int8_t> row =
              expectedRow(c, scores, i, lengthOf(c.qLengths, b, c.tokensQ), lengthOf(c.kLengths, b, c.tokensK));
          expected.insert(expected.end(), row.begin(), row.end());
        }
    EachLevel()([&] {
      std::vector<int8_t> classes = c.run();
      auto [wrong, right] = std::mismatch(classes.begin(), classes.end(), expected.begin());
      INFO("seed " << seed << ", first difference at " << wrong - classes.begin() << " of " << classes.size());
      CHECK(wrong == classes.end());
    });
  }
}

TEST_CASE("among equal scores the lowest index is kept first and dropped first", "[builtin]") {
  SelectCase c;
  c.tokensQ = c.blockQ = 64, c.tokensK = 64 * 6;
  c.blocksQ = 1, c.blocksK = 6;
  c.scores.assign(6, 1.0f);
  c.keepIsCount = c.dropIsCount = true;
  c.keep = 2, c.drop = 3;
  CHECK(c.run() == std::vector<int8_t>{1, 1, -1, -1, -1, 0});
}

TEST_CASE("decimal fractions count as written", "[builtin]") {
  SelectCase c;
  c.tokensQ = c.blockQ = 64, c.tokensK = 64 * 10;
  c.blocksQ = 1, c.blocksK = 10;
  c.scores = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
  c.keep = 0.7, c.drop = 0.3; // 0.7 * 10 is 7 and 0.3 * 10 is 3, though neither fraction is exact
  CHECK(c.run() == std::vector<int8_t>{1, 1, 1, 1, 1, 1, 1, -1, -1, -1});
  c.rule = CountRule::ceil;
  CHECK(c.run() == std::vector<int8_t>{1, 1, 1, 1, 1, 1, 1, -1, -1, -1});
}
