// Scopes of selection and budgets per head, on scores handed in, against the rule by sorting.
#include "GivenScores.h"

#include <algorithm>
#include <cmath>

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

/// A block of a scope by where it stands in the list of all rows.
struct Ranked {
  double rank, share;
  size_t row, block;
};

/// Every block of these rows, best rank first; rank is the score or the share.
std::vector<Ranked> ranked(const std::vector<ScoreRows> &heads, size_t first, size_t end, bool byShare) {
  std::vector<Ranked> blocks;
  size_t row = 0;
  for (const ScoreRows &head : heads)
    for (const std::vector<double> &scores : head) {
      std::vector<double> shares = sharesOf(scores);
      for (size_t j = 0; j < scores.size() && row >= first && row < end; ++j)
        blocks.push_back({byShare ? shares[j] : scores[j], shares[j], row, j});
      ++row;
    }
  std::sort(blocks.begin(), blocks.end(), [](const Ranked &a, const Ranked &b) { return a.rank > b.rank; });
  return blocks;
}

void mark(std::vector<Classes> &classes, const std::vector<Ranked> &blocks, size_t kept, size_t dropped) {
  for (size_t index = 0; index < blocks.size(); ++index)
    classes[blocks[index].row][blocks[index].block] = index < kept ? 1 : index + dropped >= blocks.size() ? -1 : 0;
}

std::vector<Classes> zeros(size_t rows, size_t blocks) { return std::vector<Classes>(rows, Classes(blocks, 0)); }

} // namespace

TEST_CASE("a fraction of a head, and of all heads, is counted over all their rows", "[scope]") {
  GivenScores given(randomScores(3, 4, 5, 1));
  given.selection.keep.value = 0.3;
  given.selection.drop.value = 0.2;
  given.selection.scope = Scope::head;
  std::vector<Classes> right = zeros(12, 5);
  for (size_t head = 0; head < 3; ++head)
    mark(right, ranked(given.heads, head * 4, head * 4 + 4, false), 6, 4);
  CHECK(given.classes() == right);
  given.selection.scope = Scope::allHeads;
  mark(right, ranked(given.heads, 0, 12, false), 18, 12);
  CHECK(given.classes() == right);
}

TEST_CASE("mass and thresholds of a scope rank by shares", "[scope]") {
  for (auto [scope, span] : {std::pair{Scope::head, size_t(4)}, {Scope::allHeads, size_t(12)}}) {
    GivenScores given(randomScores(3, 4, 5, 2));
    given.selection.scope = scope;
    for (KeepUnit unit : {KeepUnit::mass, KeepUnit::within, KeepUnit::above, KeepUnit::relative}) {
      bool isMass = unit == KeepUnit::mass || unit == KeepUnit::within;
      given.selection.keepUnit = unit;
      given.selection.keep.value = isMass ? 0.6 : 0.25;
      std::vector<Classes> right = zeros(12, 5);
      for (size_t first = 0; first < 12; first += span) {
        std::vector<Ranked> blocks = ranked(given.heads, first, first + span, true);
        size_t kept = 0;
        if (isMass)
          for (double sum = 0; sum < 0.6 * double(span);) // every row's shares add up to 1
            sum += blocks[kept++].share;
        else
          while (blocks[kept].share >= (unit == KeepUnit::above ? 0.25 : 0.25 * blocks[0].share))
            ++kept;
        kept -= unit == KeepUnit::within;
        mark(right, blocks, kept, 0);
      }
      CHECK(given.classes() == right);
    }
  }
}

TEST_CASE("bounds follow the scope", "[scope]") {
  GivenScores given(randomScores(2, 3, 4, 3));
  given.selection.scope = Scope::head;
  given.selection.keep.value = 0.01;
  std::vector<Classes> right = zeros(6, 4);
  for (size_t head = 0; head < 2; ++head)
    mark(right, ranked(given.heads, head * 3, head * 3 + 3, false), 1, 0);
  CHECK(given.classes() == right);
  given.selection.keep.value = 1;
  given.selection.maxKeep = Number{.value = 5};
  for (size_t head = 0; head < 2; ++head)
    mark(right, ranked(given.heads, head * 3, head * 3 + 3, false), 5, 0);
  CHECK(given.classes() == right);
}

TEST_CASE("equal ranks go to the lowest head, row and key block", "[scope]") {
  GivenScores given(std::vector<ScoreRows>(2, ScoreRows(2, {1, 1})));
  given.selection.scope = Scope::allHeads;
  given.selection.keep.value = 0.625;
  given.selection.drop.value = 0.125;
  CHECK(given.classes() == std::vector<Classes>{{1, 1}, {1, 1}, {1, -1}, {0, 0}});
}

TEST_CASE("a group shares the classes of its mean shares", "[scope]") {
  GivenScores given(randomScores(4, 3, 6, 4));
  given.headsKV = 2;
  given.selection.scope = Scope::group;
  given.selection.keepUnit = KeepUnit::mass;
  given.selection.keep.value = 0.7;
  std::vector<Classes> found = given.classes();
  for (size_t head = 0; head < 4; head += 2)
    for (size_t i = 0; i < 3; ++i) {
      std::vector<double> one = sharesOf(given.heads[head][i]), two = sharesOf(given.heads[head + 1][i]), mean;
      for (size_t j = 0; j < 6; ++j)
        mean.push_back((one[j] + two[j]) / 2);
      std::vector<double> sorted = mean;
      std::sort(sorted.begin(), sorted.end(), std::greater<>());
      double sum = 0, cut = 0;
      for (size_t j = 0; sum < 0.7; ++j)
        sum += cut = sorted[j];
      for (size_t j = 0; j < 6; ++j) {
        CHECK(found[head * 3 + i][j] == (mean[j] >= cut));
        CHECK(found[(head + 1) * 3 + i][j] == (mean[j] >= cut));
      }
    }
}

TEST_CASE("rules of one head reach its group, but for its own empty blocks", "[scope]") {
  // Head 1 must leave out block 0, and head 0 sees only half of block 3's pairs.
  GivenScores given(std::vector<ScoreRows>(2, ScoreRows(1, {6, 3, 2, 1})));
  given.selection.scope = Scope::group;
  given.selection.keep.value = 0.25;
  PairProgram mask;
  auto add = [&](PairOp::Kind kind, std::array<int, 4> operands, double value = 0, uint8_t outcomes = 0) {
    PairOp op;
    op.kind = kind;
    op.operands = operands;
    op.value.value = value;
    op.outcomes = outcomes;
    mask.ops.push_back(op);
    return int(PairProgram::firstOp) + int(mask.ops.size()) - 1;
  };
  using Kind = PairOp::Kind;
  int two = add(Kind::integer, {-1, -1, -1, -1}, 2), seven = add(Kind::integer, {-1, -1, -1, -1}, 7);
  int one = add(Kind::integer, {-1, -1, -1, -1}, 1);
  int first = add(Kind::mulI, {PairProgram::head, two, -1, -1}); // 0 for head 0, 2 for head 1
  int late = add(Kind::compareSigned, {PairProgram::key, first, -1, -1}, 0, greaterBit | equalBit);
  int early = add(Kind::compareSigned, {PairProgram::key, seven, -1, -1}, 0, lessBit);
  int isHead1 = add(Kind::compareSigned, {PairProgram::head, one, -1, -1}, 0, equalBit);
  int whole = add(Kind::orI, {early, isHead1, -1, -1});
  mask.result = add(Kind::andI, {late, whole, -1, -1});
  given.selection.mask = mask;
  // Of four blocks one is kept: block 0, which only head 0 has; block 3 is partial for head 0, and so for both.
  CHECK(given.classes() == std::vector<Classes>{{1, 0, 0, 1}, {-1, 0, 0, 1}});
}

TEST_CASE("budgets are amounts per head, within the range of keep", "[scope]") {
  GivenScores given(std::vector<ScoreRows>(6, ScoreRows(1, {4, 3, 2, 1})));
  given.budgets = {0.25, 0.75f, 2, -1, NAN, 0.3};
  auto kept = [&] {
    std::vector<int64_t> counts;
    for (const Classes &row : given.classes())
      counts.push_back(std::count(row.begin(), row.end(), 1));
    return counts;
  };
  CHECK(kept() == std::vector<int64_t>{1, 3, 4, 0, 0, 1});
  given.selection.keepUnit = KeepUnit::count;
  given.selection.keep.value = 1;
  given.budgets = {0, 1.9, 2, -3, 1e9, INFINITY};
  CHECK(kept() == std::vector<int64_t>{0, 1, 2, 0, 4, 4});
  given.budgets = {2, 2, 3, 3, 0, 1};
  given.headsKV = 3;
  given.selection.scope = Scope::group;
  CHECK(kept() == std::vector<int64_t>{2, 2, 3, 3, 1, 1}); // the mean; where it is a half, the minimum
  given.budgets = {2, 3, 1, 4, 0, 0};
  CHECK(kept() == std::vector<int64_t>{2, 2, 2, 2, 0, 0}); // 2.5, rounded down
}

TEST_CASE("a decimal budget means the decimal fraction", "[scope]") {
  GivenScores given({ScoreRows(1, std::vector<double>(10, 1.0))});
  for (int tenths = 1; tenths <= 10; ++tenths) {
    given.budgets = {float(tenths) / 10.0f};
    Classes row = given.classes()[0];
    CHECK(std::count(row.begin(), row.end(), 1) == tenths);
  }
}
