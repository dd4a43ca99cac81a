// What the contract lets a target's classes differ in: blocks within rounding of a cut or of each other, and nothing else.
#include "GivenScores.h"
#include "RunSpec.h"

#include <cmath>

using namespace tercet;
using namespace tercet::reference;
using namespace tercet::test;

namespace {

/// The reason why these classes of `given` fail; empty where they pass. One row of digits per head and query block.
std::string fault(const GivenScores &given, const std::vector<Classes> &rows, bool exactTies = false) {
  int64_t heads = int64_t(given.heads.size()), blocksQ = int64_t(rows.size()) / heads,
          blocksK = int64_t(rows[0].size());
  OwnedTensor classes = OwnedTensor::make(DType::i8, {1, heads, blocksQ, blocksK});
  for (int64_t at = 0; at < int64_t(rows.size()); ++at)
    for (int64_t j = 0; j < blocksK; ++j)
      classes.view().set(rows[at][j], 0, at / blocksQ, at % blocksQ, j);
  std::string reason;
  given.call([&](const Arguments &arguments) {
    Arguments got;
    got.tensors = {{"classes", classes.view()}};
    auto verdict = checkOutputs(given.program(), arguments, got, {.exactTies = exactTies});
    INFO(verdict.status().message());
    REQUIRE(verdict.ok());
    reason = verdict->reason;
  });
  return reason;
}

GivenScores shared(const std::vector<double> &shares, KeepUnit unit, double amount) {
  std::vector<double> scores;
  for (double share : shares)
    scores.push_back(std::log(share));
  GivenScores given({{scores}});
  given.selection.keepUnit = unit;
  given.selection.keep.value = amount;
  return given;
}

} // namespace

TEST_CASE("a mass that lies at the cut may be reached a block earlier or later", "[contract][select]") {
  GivenScores given = shared({0.3, 0.5, 0.2}, KeepUnit::mass, 0.8);
  CHECK(fault(given, {{1, 1, 0}}).empty());
  CHECK(fault(given, {{1, 1, 1}}).empty());
  CHECK(fault(given, {{0, 1, 0}}) == "classes of row (0, 0, 0): has 1 blocks of class 1, expected 2 to 3");
  CHECK_THAT(fault(given, {{0, 1, 1}}), Catch::Contains("block 2") && Catch::Contains("above block 0"));
  given.selection.keep.value = 0.79;
  CHECK(fault(given, {{1, 1, 1}}) == "classes of row (0, 0, 0): has 3 blocks of class 1, expected 2");
}

TEST_CASE("shares at a threshold may fall on either side", "[contract][select]") {
  for (auto [unit, amount] : {std::pair{KeepUnit::above, 0.3}, {KeepUnit::relative, 0.6}}) {
    GivenScores given = shared({0.3, 0.5, 0.2}, unit, amount);
    CHECK(fault(given, {{1, 1, 0}}).empty());
    CHECK(fault(given, {{0, 1, 0}}).empty());
    CHECK_FALSE(fault(given, {{1, 1, 1}}).empty());
    CHECK_FALSE(fault(given, {{1, 0, 0}}).empty());
    given.selection.keep.value = amount * 0.999;
    CHECK_FALSE(fault(given, {{0, 1, 0}}).empty());
    given.selection.keep.value = amount * 1.001;
    CHECK_FALSE(fault(given, {{1, 1, 0}}).empty());
  }
}

TEST_CASE("what drops follows what was kept", "[contract][select]") {
  GivenScores given = shared({0.3, 0.5, 0.2}, KeepUnit::above, 0.3);
  given.selection.drop.value = 1;
  CHECK(fault(given, {{1, 1, -1}}).empty());
  CHECK(fault(given, {{-1, 1, -1}}).empty());
  CHECK(fault(given, {{0, 1, -1}}) ==
        "classes of row (0, 0, 0): has 1 blocks of class -1 among those that rank, expected 2");
}

TEST_CASE("scores handed in leave ranks no freedom", "[contract][select]") {
  GivenScores given({{{2, 1, 1, 0}}});
  given.selection.keep.value = 0.5;
  CHECK(fault(given, {{1, 1, 0, 0}}).empty());
  CHECK(fault(given, {{1, 0, 1, 0}}) ==
        "classes of row (0, 0, 0): block 1 has class 0, expected 1 (equal scores go to the lowest index)");
  given.selection.keepUnit = KeepUnit::percentile;
  given.selection.keep.value = 0.75;
  CHECK(fault(given, {{1, 1, 1, 0}}).empty());
  CHECK(fault(given, {{1, 1, 0, 0}}) == "classes of row (0, 0, 0): has 2 blocks of class 1, expected 3");
}

TEST_CASE("wide scopes are compared whole", "[contract][select]") {
  GivenScores given({{{4, 3}, {2, 1}}});
  given.selection.scope = Scope::head;
  given.selection.keep.value = 0.5;
  CHECK(fault(given, {{1, 1}, {0, 0}}).empty());
  CHECK(fault(given, {{1, 0}, {1, 0}}) ==
        "classes of head (0, 0): block (0, 0, 1) has class 0, expected 1 (equal scores go to the lowest index)");
  CHECK(fault(given, {{1, 1}, {1, 0}}) == "classes of head (0, 0): has 3 blocks of class 1, expected 2");
  given.selection.scope = Scope::allHeads;
  CHECK(fault(given, {{1, 1}, {1, 0}}) == "classes of batch entry 0: has 3 blocks of class 1, expected 2");
}

TEST_CASE("heads of a group must agree", "[contract][select]") {
  GivenScores given({{{2, 1}}, {{2, 1}}});
  given.selection.scope = Scope::group;
  given.selection.keep.value = 0.5;
  CHECK(fault(given, {{1, 0}, {1, 0}}).empty());
  CHECK(fault(given, {{1, 0}, {0, 1}}) ==
        "classes of row (0, 0 to 1, 0): block 0 has class 1 for head 0 and 0 for head 1; "
        "heads of a group share classes");
  CHECK_FALSE(fault(given, {{0, 1}, {0, 1}}).empty());
}

TEST_CASE("blocks that rules decide have their class", "[contract][mask]") {
  GivenScores given({{{2, 1, 0}}});
  PairProgram past; // key <= query
  PairOp compare;
  compare.kind = PairOp::Kind::compareSigned;
  compare.operands = {PairProgram::key, PairProgram::query, -1, -1};
  compare.outcomes = lessBit | equalBit;
  past.ops = {compare};
  past.result = PairProgram::firstOp;
  given.selection.mask = past;
  CHECK(fault(given, {{1, -1, -1}}).empty());
  CHECK(fault(given, {{0, -1, -1}}) == "classes of row (0, 0, 0): block 0 has class 0, expected 1 (partial)");
  CHECK(fault(given, {{1, 0, -1}}) == "classes of row (0, 0, 0): block 1 has class 0, expected -1 (empty)");
  given.selection.mask = {};
  given.selection.forced = given.selection.forbidden = past;
  given.selection.keep.value = 0;
  CHECK(fault(given, {{1, 0, 0}}).empty());
  CHECK(fault(given, {{0, 0, 0}}) == "classes of row (0, 0, 0): block 0 has class 0, expected 1 (forced)");
  given.selection.forced = {};
  CHECK(fault(given, {{0, 0, 0}}) == "classes of row (0, 0, 0): block 0 has class 0, expected -1 (forbidden)");
}

TEST_CASE("a likeness at the guard may force or not", "[contract][scores]") {
  Program program{.selection = pairBlocks(), .branches = {makeBranch(Branch::Kind::sparse, criticalBit)}};
  program.selection->keep.value = 0;
  program.selection->scores.guard = Number{.value = 0.5}; // two tokens at right angles: (1 + 1 + 0 + 0) / 4
  Tiny tiny;
  tiny.tokens("q", {{1, 0}, {1, 0}}).tokens("k", {{1, 0}, {0, 1}, {1, 0}, {1, 0}}).tokens("v", {{1}, {1}, {1}, {1}});
  auto passes = [&](std::vector<int> row) {
    OwnedTensor classes = OwnedTensor::make(DType::i8, {1, 1, 1, 2});
    for (int64_t j = 0; j < 2; ++j)
      classes.view().set(row[size_t(j)], 0, 0, 0, j);
    Arguments got;
    got.tensors = {{"classes", classes.view()}};
    auto verdict = checkOutputs(program, tiny.arguments(), got);
    REQUIRE(verdict.ok());
    return verdict->passed;
  };
  CHECK(passes({0, 0}));
  CHECK(passes({1, 0}));
  CHECK_FALSE(passes({1, 1}));
  program.selection->scores.guard->value = 0.51;
  CHECK_FALSE(passes({0, 0}));
  CHECK(passes({1, 0}));
}
