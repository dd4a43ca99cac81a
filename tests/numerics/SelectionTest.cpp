// The oracle's selection against rows written out: scores as given, blocks of one number (docs/spec.md#select).
#include "Tiny.h"

#include <algorithm>

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

/// Selects among key blocks of two tokens with these scores, for one query block of two tokens.
static std::vector<int8_t> select(const Selection &selection, const std::vector<double> &scores) {
  Program program{.selection = selection, .branches = {makeBranch(Branch::Kind::sparse, criticalBit)}};
  std::vector<std::vector<double>> keys;
  for (double score : scores) {
    keys.push_back({score - 1});
    keys.push_back({score + 1});
  }
  return Tiny().tokens("q", {{0}, {2}}).tokens("k", keys).tokens("v", keys).evaluate(program).classes.values;
}

using Classes = std::vector<int8_t>;

TEST_CASE("the best are critical, the worst negligible, the rest marginal", "[select]") {
  Selection selection = pairBlocks();
  selection.keep.value = 0.4;
  selection.drop.value = 0.2;
  CHECK(select(selection, {5, 1, 9, 7, 3}) == Classes{0, -1, 1, 1, 0});
  selection.drop.value = 0.6;
  CHECK(select(selection, {5, 1, 9, 7, 3}) == Classes{-1, -1, 1, 1, -1});
}

TEST_CASE("ties go to the lowest index, for keep and for drop", "[select]") {
  Selection selection = pairBlocks();
  selection.keep.value = 0.4;
  selection.drop.value = 0.2;
  CHECK(select(selection, {1, 1, 1, 1, 1}) == Classes{1, 1, -1, 0, 0});
  CHECK(select(selection, {2, 7, 2, 7, 7}) == Classes{-1, 1, 0, 1, 0});
}

TEST_CASE("a fraction becomes a count by the count rule", "[select]") {
  Selection selection = pairBlocks();
  selection.minKeep.value = 0;
  auto kept = [&](double keep, Rounding rounding, size_t blocks) {
    selection.keep.value = keep;
    selection.rounding = rounding;
    Classes classes = select(selection, std::vector<double>(blocks, 1));
    return std::count(classes.begin(), classes.end(), 1);
  };
  CHECK(kept(0.3, Rounding::floor, 5) == 1);
  CHECK(kept(0.3, Rounding::ceil, 5) == 2);
  CHECK(kept(0.3, Rounding::round, 5) == 2); // 1.5 goes up
  CHECK(kept(0.29, Rounding::round, 5) == 1);
  CHECK(kept(0.29, Rounding::floor, 100) == 29); // 0.29 * 100 is below 29 in binary
  CHECK(kept(0.07, Rounding::ceil, 100) == 7);   // 0.07 * 100 is above 7
  CHECK(kept(0.05, Rounding::floor, 19) == 0);
}

TEST_CASE("the minimum holds where something is kept at all", "[select]") {
  Selection selection = pairBlocks();
  selection.keep.value = 0.01;
  selection.minKeep.value = 2;
  CHECK(select(selection, {5, 1, 9}) == Classes{1, 0, 1});
  selection.minKeep.value = 50;
  CHECK(select(selection, {5, 1, 9}) == Classes{1, 1, 1});
  selection.keep.value = 0;
  CHECK(select(selection, {5, 1, 9}) == Classes{0, 0, 0});
}

TEST_CASE("counts are taken as they are, up to all blocks", "[select]") {
  Selection selection = pairBlocks();
  selection.keepUnit = KeepUnit::count;
  selection.dropIsCount = true;
  selection.keep.value = 2;
  selection.drop.value = 1;
  CHECK(select(selection, {5, 1, 9, 7}) == Classes{0, -1, 1, 1});
  selection.drop.value = 40;
  CHECK(select(selection, {5, 1, 9, 7}) == Classes{-1, -1, 1, 1});
  selection.keep.value = 40;
  CHECK(select(selection, {5, 1, 9, 7}) == Classes{1, 1, 1, 1});
}

TEST_CASE("forced blocks are critical, beat drop, and count only when asked to", "[select]") {
  Selection selection = pairBlocks();
  selection.keep.value = 0.4;
  selection.drop.value = 0.4;
  selection.sink.value = 1;
  CHECK(select(selection, {1, 5, 9, 7, 3}) == Classes{1, -1, 1, 1, -1});
  selection.forcedCounts = true;
  CHECK(select(selection, {1, 5, 9, 7, 3}) == Classes{1, -1, 1, 0, -1});
  selection.sink.value = 3;
  CHECK(select(selection, {1, 5, 9, 7, 3}) == Classes{1, 1, 1, -1, -1});
}

TEST_CASE("the diagonal is where a query block and a key block share a valid token index", "[select]") {
  Program program{.selection = pairBlocks(), .branches = {makeBranch(Branch::Kind::sparse, criticalBit)}};
  program.selection->keep.value = 0;
  program.selection->diagonal = true;
  program.selection->blockK = 4;
  std::vector<std::vector<double>> rows(9, {1.0}), keys(5, {1.0});
  // Query blocks are rows 01 23 45 67 8, key blocks keys 0123 4: index 4 is in the second, 6 to 8 in none.
  CHECK(Tiny().tokens("q", rows).tokens("k", keys).tokens("v", keys).evaluate(program).classes.values ==
        Classes{1, 0, 1, 0, 0, 1, 0, 0, 0, 0});
}

TEST_CASE("empty blocks are -1 and do not count", "[select]") {
  Selection selection = pairBlocks();
  Program program{.selection = selection, .branches = {makeBranch(Branch::Kind::sparse, criticalBit)}};
  std::vector<std::vector<double>> keys = {{1}, {1}, {3}, {3}, {9}, {9}, {9}, {9}};
  Tiny tiny;
  tiny.tokens("q", {{1}}).tokens("k", keys).tokens("v", keys).vector("k_len", DType::i32, {3});
  CHECK(tiny.evaluate(program).classes.values == Classes{0, 1, -1, -1}); // half of 2, not of 4
  tiny.classes({{0, 0, 1, 1}});
  CHECK(tiny.evaluate(program).classes.values == Classes{0, 0, -1, -1});
}

TEST_CASE("pooled scores are over valid tokens only", "[select]") {
  Program program{.selection = pairBlocks(), .branches = {makeBranch(Branch::Kind::sparse, criticalBit)}};
  // Block 1 is a tail of one token: its mean is 4, not 2; block 0 has the mean 3.
  std::vector<std::vector<double>> keys = {{1}, {5}, {4}};
  CHECK(Tiny().tokens("q", {{1}}).tokens("k", keys).tokens("v", keys).evaluate(program).classes.values ==
        Classes{0, 1});
}
