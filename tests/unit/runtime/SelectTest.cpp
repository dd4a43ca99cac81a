#include "SelectCase.h"

using namespace tercet;
using namespace tercet::test;

namespace {

/// Sizes, lengths and what the rules do; scores on a grid of 1/8, so that sums of P are clear of rounding.
SelectCase randomCase(unsigned seed, KeepRule rule, SelectScope scope) {
  Random random(seed);
  SelectCase c;
  c.scope = scope, c.keepRule = rule;
  c.batch = random.from(1, 2), c.headsKV = random.from(1, 2), c.repeat = random.from(1, 3);
  c.tokensQ = random.from(1, seed % 20 == 0 ? 9000 : 500), c.tokensK = random.from(1, 900);
  c.blockQ = random.pick({8, 16, 64}), c.blockK = random.pick({4, 16, 64});
  c.blocksQ = ceilDiv(c.tokensQ, c.blockQ), c.blocksK = ceilDiv(c.tokensK, c.blockK);
  c.qLengths = randomLengths(random, c.batch, c.tokensQ), c.kLengths = randomLengths(random, c.batch, c.tokensK);
  bool isShare = rule == KeepRule::above;
  c.keep = rule == KeepRule::count ? double(random.upTo(30))
           : isShare               ? random.pick({0.0, 0.0123, 0.0501, 0.2003, 0.9})
                                   : random.pick({0.0, 0.0501, 0.1, 0.5, 0.9003, 1.0, 0.35});
  c.dropIsCount = random.chance(0.3);
  c.drop = c.dropIsCount ? double(random.upTo(30)) : random.pick({0.0, 0.1, 0.25, 0.6});
  c.countRule = random.pick({CountRule::floor, CountRule::ceil, CountRule::round});
  c.minKeep = random.upTo(3), c.sink = random.chance(0.4) ? random.upTo(6) : 0;
  if (random.chance(0.3))
    c.maxKeep = random.upTo(8);
  c.diagonal = random.chance(0.4), c.forcedCounts = random.chance(0.4);
  c.throughKernel = random.chance(0.5);
  c.scores.resize(c.mapSize());
  bool manyTies = random.chance(0.4);
  for (float &score : c.scores)
    score = manyTies ? float(random.upTo(4)) - 2 : std::round(random.normal() * 16) / 8;
  return c;
}

void addOddScores(SelectCase &c, Random &random) {
  for (float &score : c.scores)
    if (random.chance(0.02))
      score = random.pick({poison, -poison, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-40f, 3e38f});
}

void addRules(SelectCase &c, Random &random) {
  double chance = random.pick({0.02, 0.3});
  c.rules.resize(c.mapSize());
  for (uint8_t &rule : c.rules)
    rule = uint8_t((random.chance(chance) ? random.pick({1, 2}) : 0) | (random.chance(chance) ? 4 : 0) |
                   (random.chance(chance) ? 8 : 0));
  if (random.chance(0.5)) {
    c.guard = 0.5;
    c.alikeQ.resize(size_t(c.batch * c.heads() * c.blocksQ), 0.9f);
    c.alikeK.resize(size_t(c.batch * c.headsKV * c.blocksK), 0.5f);
    for (std::vector<float> *alike : {&c.alikeQ, &c.alikeK})
      for (float &value : *alike)
        value = random.chance(0.1) ? 0.49f : value;
  }
}

void addBudgets(SelectCase &c, Random &random) {
  for (int64_t h = 0; h < c.heads(); ++h)
    c.budgets.push_back(c.keepRule == KeepRule::count ? float(random.upTo(20)) + 0.5f
                                                      : random.pick({0.0f, 0.1f, 0.375f, 0.7f, 2.0f, -1.0f, poison}));
}

/// Whether P of two rows' blocks, ranked in f32, may change places: by as much as rounding moves log P.
bool isRounding(const SelectCase &c, const std::vector<int8_t> &got, const std::vector<int8_t> &right) {
  std::vector<double> above, below; // log P of blocks with a higher class than is right, and with a lower one
  for (size_t at = 0; at < got.size(); ++at)
    if (got[at] != right[at]) {
      int64_t row = int64_t(at) / c.blocksK;
      double logShare = rowOf(c, row / c.blocksQ, row % c.blocksQ)[at % size_t(c.blocksK)].logShare;
      (got[at] > right[at] ? above : below).push_back(logShare);
    }
  auto hasPartner = [](double share, const std::vector<double> &others) {
    return std::any_of(others.begin(), others.end(), [&](double other) { return std::abs(other - share) < 1e-6; });
  };
  return above.size() == below.size() &&
         std::all_of(above.begin(), above.end(), [&](double share) { return hasPartner(share, below); }) &&
         std::all_of(below.begin(), below.end(), [&](double share) { return hasPartner(share, above); });
}

void check(const SelectCase &c, unsigned seed) {
  std::vector<int8_t> expected = c.expected(), first;
  bool ranksShares = c.byShare() && (c.scope == SelectScope::head || c.scope == SelectScope::allHeads);
  EachLevel()([&] {
    std::vector<int8_t> classes = c.run();
    auto [wrong, right] = std::mismatch(classes.begin(), classes.end(), expected.begin());
    INFO("rule " << int(c.keepRule) << ", scope " << int(c.scope) << ", keep " << c.keep << ", seed " << seed
                 << ", first difference at " << wrong - classes.begin() << " of " << classes.size());
    CHECK((wrong == classes.end() || (ranksShares && isRounding(c, classes, expected))));
    if (first.empty())
      first = classes;
    CHECK(first == classes);
  });
}

constexpr KeepRule rules[] = {KeepRule::fraction, KeepRule::count,      KeepRule::mass,  KeepRule::above,
                              KeepRule::relative, KeepRule::percentile, KeepRule::within};
constexpr SelectScope scopes[] = {SelectScope::row, SelectScope::head, SelectScope::allHeads, SelectScope::group};

/// A row of 64 x 64 blocks with these scores.
SelectCase rowCase(std::vector<float> scores) {
  SelectCase c;
  c.blocksK = int64_t(scores.size()), c.blocksQ = 1;
  c.tokensQ = 64, c.tokensK = 64 * c.blocksK;
  c.scores = std::move(scores);
  return c;
}

} // namespace

TEST_CASE("select agrees with sorting, for every rule, scope and tie", "[builtin]") {
  for (KeepRule rule : rules)
    for (SelectScope scope : scopes)
      for (unsigned seed = 0; seed < 12; ++seed) {
        SelectCase c = randomCase(seed, rule, scope);
        Random random(seed + 100);
        if (seed % 3 == 1)
          addRules(c, random);
        if (seed % 4 == 2)
          addBudgets(c, random);
        check(c, seed);
      }
}

TEST_CASE("odd scores rank and weigh as the limits say", "[builtin]") {
  for (KeepRule rule : rules)
    for (SelectScope scope : scopes)
      for (unsigned seed = 50; seed < 58; ++seed) {
        SelectCase c = randomCase(seed, rule, scope);
        Random random(seed);
        addOddScores(c, random);
        check(c, seed);
      }
}

TEST_CASE("among equal scores the lowest index is kept first and dropped first", "[builtin]") {
  SelectCase c = rowCase(std::vector<float>(6, 1.0f));
  c.keepRule = KeepRule::count, c.dropIsCount = true;
  c.keep = 2, c.drop = 3;
  CHECK(c.run() == std::vector<int8_t>{1, 1, -1, -1, -1, 0});
}

TEST_CASE("decimal fractions count as written", "[builtin]") {
  SelectCase c = rowCase({9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
  c.keep = 0.7, c.drop = 0.3; // 0.7 * 10 is 7 and 0.3 * 10 is 3, though neither fraction is exact
  CHECK(c.run() == std::vector<int8_t>{1, 1, 1, 1, 1, 1, 1, -1, -1, -1});
  c.countRule = CountRule::ceil;
  CHECK(c.run() == std::vector<int8_t>{1, 1, 1, 1, 1, 1, 1, -1, -1, -1});
}

TEST_CASE("the mass of equal blocks is met exactly", "[builtin]") {
  SelectCase c = rowCase(std::vector<float>(10, 3.0f));
  c.keepRule = KeepRule::mass, c.keep = 0.3;
  CHECK(c.run() == std::vector<int8_t>{1, 1, 1, 0, 0, 0, 0, 0, 0, 0});
  c.keep = 1;
  CHECK(c.run() == std::vector<int8_t>(10, 1));
  c.keepRule = KeepRule::within, c.keep = 0.3;
  CHECK(c.run() == std::vector<int8_t>{1, 1, 1, 0, 0, 0, 0, 0, 0, 0});
  c.keep = 0.39;
  CHECK(c.run() == std::vector<int8_t>{1, 1, 1, 0, 0, 0, 0, 0, 0, 0});
  c.keep = 0.05; // min_keep
  CHECK(c.run() == std::vector<int8_t>{1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  c.keep = 1;
  CHECK(c.run() == std::vector<int8_t>(10, 1));
  c.keepRule = KeepRule::above, c.keep = 0.1;
  CHECK(c.run() == std::vector<int8_t>(10, 1));
  c.keep = 0.11, c.minKeep = 2;
  CHECK(c.run() == std::vector<int8_t>{1, 1, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("forced blocks use up mass and counts only under forced_counts", "[builtin]") {
  SelectCase c = rowCase({0, 0, 0, 0});
  c.keepRule = KeepRule::mass, c.keep = 0.5, c.sink = 1;
  CHECK(c.run() == std::vector<int8_t>{1, 1, 1, 0});
  c.forcedCounts = true;
  CHECK(c.run() == std::vector<int8_t>{1, 1, 0, 0});
  c.maxKeep = 1;
  CHECK(c.run() == std::vector<int8_t>{1, 0, 0, 0});
}

TEST_CASE("spans too long to be read at every step have the same cut", "[builtin]") {
  for (KeepRule rule : {KeepRule::fraction, KeepRule::mass, KeepRule::within}) {
    SelectCase c;
    c.scope = SelectScope::head, c.keepRule = rule, c.keep = 0.3, c.drop = 0.2;
    c.tokensQ = c.tokensK = 16 * 100, c.blockQ = c.blockK = 16, c.blocksQ = c.blocksK = 100;
    Random random(7);
    for (size_t at = 0; at < c.mapSize(); ++at)
      c.scores.push_back(std::round(random.normal() * 4096) / 4096);
    check(c, 7);
  }
}
