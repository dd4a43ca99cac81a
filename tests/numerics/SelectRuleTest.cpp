// The rules of keep within a row, on scores handed in: rows written out, and random rows against the rule by sorting.
#include "GivenScores.h"

#include <algorithm>
#include <cmath>

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

/// Classes of one row of logits under this selection.
Classes select(const Selection &selection, const std::vector<double> &scores) {
  GivenScores given({{scores}});
  Selection rule = selection;
  rule.scores = given.selection.scores;
  given.selection = rule;
  return given.classes()[0];
}

Selection keeping(KeepUnit unit, double amount) {
  Selection selection = pairBlocks();
  selection.keepUnit = unit;
  selection.keep.value = amount;
  return selection;
}

std::vector<double> logs(std::vector<double> shares) {
  for (double &share : shares)
    share = std::log(share);
  return shares;
}

/// A set that holds key block `block`, as a region.
PairProgram onlyBlock(int64_t block) {
  PairProgram set;
  PairOp constant, compare;
  constant.kind = PairOp::Kind::integer;
  constant.value.value = double(block);
  compare.kind = PairOp::Kind::compareSigned;
  compare.operands = {PairProgram::key, PairProgram::firstOp, -1, -1};
  compare.outcomes = equalBit;
  set.ops = {constant, compare};
  set.result = PairProgram::firstOp + 1;
  return set;
}

/// The k best of a row by sorting.
Classes bestOf(const std::vector<double> &scores, size_t kept) {
  std::vector<size_t> order(scores.size());
  for (size_t j = 0; j < order.size(); ++j)
    order[j] = j;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  Classes classes(scores.size(), 0);
  for (size_t rank = 0; rank < kept; ++rank)
    classes[order[rank]] = 1;
  return classes;
}

} // namespace

TEST_CASE("mass: the fewest best blocks that hold the share", "[select]") {
  const std::vector<double> scores = logs({0.1, 0.4, 0.2, 0.3});
  CHECK(select(keeping(KeepUnit::mass, 0.35), scores) == Classes{0, 1, 0, 0});
  CHECK(select(keeping(KeepUnit::mass, 0.65), scores) == Classes{0, 1, 0, 1});
  CHECK(select(keeping(KeepUnit::mass, 0.85), scores) == Classes{0, 1, 1, 1});
  CHECK(select(keeping(KeepUnit::mass, 1), scores) == Classes{1, 1, 1, 1});
  CHECK(select(keeping(KeepUnit::mass, 0), scores) == Classes{0, 0, 0, 0});
}

TEST_CASE("within: the most best blocks that do not hold more than the share", "[select]") {
  const std::vector<double> scores = logs({0.1, 0.4, 0.2, 0.3});
  CHECK(select(keeping(KeepUnit::within, 0.41), scores) == Classes{0, 1, 0, 0});
  CHECK(select(keeping(KeepUnit::within, 0.65), scores) == Classes{0, 1, 0, 0});
  CHECK(select(keeping(KeepUnit::within, 0.71), scores) == Classes{0, 1, 0, 1});
  CHECK(select(keeping(KeepUnit::within, 0.95), scores) == Classes{0, 1, 1, 1});
  CHECK(select(keeping(KeepUnit::within, 1), scores) == Classes{1, 1, 1, 1});
  CHECK(select(keeping(KeepUnit::within, 0.3), scores) == Classes{0, 1, 0, 0}); // min_keep
  CHECK(select(keeping(KeepUnit::within, 0), scores) == Classes{0, 0, 0, 0});
}

TEST_CASE("above and relative: a threshold on shares", "[select]") {
  const std::vector<double> scores = logs({0.1, 0.4, 0.2, 0.3});
  CHECK(select(keeping(KeepUnit::above, 0.25), scores) == Classes{0, 1, 0, 1});
  CHECK(select(keeping(KeepUnit::above, 0), scores) == Classes{1, 1, 1, 1});
  CHECK(select(keeping(KeepUnit::above, 0.5), scores) == Classes{0, 1, 0, 0}); // min_keep
  CHECK(select(keeping(KeepUnit::relative, 0.7), scores) == Classes{0, 1, 0, 1});
  CHECK(select(keeping(KeepUnit::relative, 1), scores) == Classes{0, 1, 0, 0});
  CHECK(select(keeping(KeepUnit::relative, 0), scores) == Classes{1, 1, 1, 1});
}

TEST_CASE("percentile: the cut is a candidate's score, and ties with it are kept", "[select]") {
  CHECK(select(keeping(KeepUnit::percentile, 0.5), {5, 1, 9, 7}) == Classes{1, 0, 1, 1}); // the 2nd smallest is 5
  CHECK(select(keeping(KeepUnit::percentile, 0.51), {5, 1, 9, 7}) == Classes{0, 0, 1, 1});
  CHECK(select(keeping(KeepUnit::percentile, 1), {5, 1, 9, 7}) == Classes{0, 0, 1, 0});
  CHECK(select(keeping(KeepUnit::percentile, 0), {5, 1, 9, 7}) == Classes{1, 1, 1, 1});
  CHECK(select(keeping(KeepUnit::percentile, 0.75), {5, 5, 5, 7}) == Classes{1, 1, 1, 1});
  std::vector<double> many(100);
  for (size_t j = 0; j < many.size(); ++j)
    many[j] = double(j);
  Classes classes = select(keeping(KeepUnit::percentile, 0.07), many); // 0.07 * 100 is above 7 in binary
  CHECK(std::count(classes.begin(), classes.end(), 1) == 94);
}

TEST_CASE("random rows keep what sorting says", "[select]") {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    std::vector<double> scores = randomScores(1, 1, 3 + int64_t(seed % 17), seed)[0][0], shares = sharesOf(scores);
    std::vector<double> sorted = shares;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    double amount = RandomStream(seed, "amount").uniform(0);
    size_t byMass = 0, byCut = 0, byTop = 0;
    for (double sum = 0; sum < amount;)
      sum += sorted[byMass++];
    for (double share : shares) {
      byCut += share >= amount;
      byTop += share >= amount * sorted[0];
    }
    size_t fromBelow = size_t(std::ceil(amount * double(scores.size())));
    CHECK(select(keeping(KeepUnit::mass, amount), scores) == bestOf(scores, byMass));
    CHECK(select(keeping(KeepUnit::within, amount), scores) == bestOf(scores, std::max<size_t>(byMass - 1, 1)));
    CHECK(select(keeping(KeepUnit::above, amount), scores) == bestOf(scores, std::max<size_t>(byCut, 1)));
    CHECK(select(keeping(KeepUnit::relative, amount), scores) == bestOf(scores, byTop));
    CHECK(select(keeping(KeepUnit::percentile, amount), scores) == bestOf(scores, scores.size() - fromBelow + 1));
  }
}

TEST_CASE("bounds on the number hold for every rule, and the upper one wins", "[select]") {
  const std::vector<double> scores = logs({0.1, 0.4, 0.2, 0.3});
  for (KeepUnit unit :
       {KeepUnit::mass, KeepUnit::above, KeepUnit::relative, KeepUnit::percentile, KeepUnit::fraction}) {
    Selection selection = keeping(unit, 1);
    selection.maxKeep = Number{.value = 2};
    Classes classes = select(selection, scores);
    CHECK(std::count(classes.begin(), classes.end(), 1) <= 2);
    selection.minKeep.value = 3;
    CHECK(select(selection, scores) == Classes{0, 1, 0, 1});
    selection.maxKeep = {};
    classes = select(selection, scores);
    CHECK(std::count(classes.begin(), classes.end(), 1) >= 3);
  }
  Selection none = keeping(KeepUnit::mass, 0.9);
  none.maxKeep = Number{.value = 0};
  CHECK(select(none, scores) == Classes{0, 0, 0, 0});
}

TEST_CASE("drop takes the worst of what a rule leaves", "[select]") {
  Selection selection = keeping(KeepUnit::mass, 0.65);
  selection.drop.value = 0.25;
  CHECK(select(selection, logs({0.1, 0.4, 0.2, 0.3})) == Classes{-1, 1, 0, 1});
  selection.drop.value = 1;
  CHECK(select(selection, logs({0.1, 0.4, 0.2, 0.3})) == Classes{-1, 1, -1, 1});
}

TEST_CASE("forced blocks hold mass only where they count", "[select]") {
  const std::vector<double> scores = logs({0.1, 0.4, 0.2, 0.3});
  Selection selection = keeping(KeepUnit::mass, 0.45);
  selection.forced = onlyBlock(0);
  CHECK(select(selection, scores) == Classes{1, 1, 0, 1});
  selection.forcedCounts = true;
  CHECK(select(selection, scores) == Classes{1, 1, 0, 0});
  selection.keep.value = 0.05;
  CHECK(select(selection, scores) == Classes{1, 0, 0, 0}); // the forced block is the minimum, too
  selection.forcedCounts = false;
  CHECK(select(selection, scores) == Classes{1, 1, 0, 0});
  selection.keep.value = 1;
  selection.forcedCounts = true;
  selection.maxKeep = Number{.value = 2};
  CHECK(select(selection, scores) == Classes{1, 1, 0, 0});
}

TEST_CASE("forbidden blocks are negligible, still weigh, and yield to forced ones", "[select]") {
  const std::vector<double> scores = logs({0.1, 0.4, 0.2, 0.3});
  Selection selection = keeping(KeepUnit::above, 0.25);
  selection.forbidden = onlyBlock(1);
  CHECK(select(selection, scores) == Classes{0, -1, 0, 1});
  selection.keepUnit = KeepUnit::relative; // 0.24 is 60 % of 0.4, which is forbidden
  selection.keep.value = 0.6;
  CHECK(select(selection, scores) == Classes{0, -1, 0, 1});
  selection.keepUnit = KeepUnit::mass; // 0.6 is all that is there
  selection.keep.value = 0.7;
  CHECK(select(selection, scores) == Classes{1, -1, 1, 1});
  selection.keepUnit = KeepUnit::fraction;
  selection.keep.value = 1;
  CHECK(select(selection, scores) == Classes{1, -1, 1, 1});
  selection.keep.value = 0.25;
  selection.forced = onlyBlock(1);
  CHECK(select(selection, scores) == Classes{0, 1, 0, 1});
}

TEST_CASE("scores that are not finite", "[select]") {
  const double none = -INFINITY, all = INFINITY, nan = NAN;
  CHECK(select(keeping(KeepUnit::fraction, 0.5), {nan, 1, nan, 0}) == Classes{0, 1, 0, 1});
  CHECK(select(keeping(KeepUnit::above, 0.4), {nan, 1, nan, 1}) == Classes{0, 1, 0, 1});
  CHECK(select(keeping(KeepUnit::above, 0.4), {all, 100, all, none}) == Classes{1, 0, 1, 0});
  CHECK(select(keeping(KeepUnit::mass, 0.9), {nan, none, nan, none}) == Classes{0, 1, 0, 0}); // no P: the minimum
  CHECK(select(keeping(KeepUnit::percentile, 0.5), {nan, 3, 2, none}) == Classes{0, 1, 1, 1});
}

TEST_CASE("amounts out of range are refused", "[select][arguments]") {
  GivenScores given({{{1, 2, 3}}});
  given.selection.keepUnit = KeepUnit::mass;
  given.selection.maxKeep = Number{"max_keep", 2, false, true};
  given.settings = {{"keep", 1.1}, {"max_keep", 2}};
  CHECK(given.refusal() == "keep is 1.1; expected a fraction in [0, 1]");
  given.settings = {{"keep", 0.5}, {"max_keep", -1}};
  CHECK(given.refusal() == "max_keep is -1; expected an integer of at least 0");
  given.settings = {{"keep", 1}, {"drop", 1}};
  CHECK(given.refusal().empty()); // a mass and a fraction need not share a row
}
