// Dense attention under a mask without classes: the tiles of keys that a block takes are found on the way. Every mode, and
// bugs one at a time.
#include "unit/simulator/DenseEdits.h"

#include <catch2/catch.hpp>

using namespace tercet;
using test::DenseProblem;

namespace {

// A window of 150 keys that ends 70 keys behind a query, and every key from 66,000 to 66,100: the first tiles of many rows
// are all -inf, rows from 0 to 69 may have no key at all, and keys lie in two windows of steps.
const char *const windowSpec = R"(
  tercet.spec @window(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
    %scale = tercet.param scale = auto : !tercet.runtime<f64>
    %near = tercet.mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %last = arith.constant 70 : index
      %first = arith.constant 220 : index
      %far = arith.constant 66000 : index
      %farther = arith.constant 66100 : index
      %back = arith.subi %i, %j : index
      %begins = arith.cmpi sge, %back, %last : index
      %ends = arith.cmpi slt, %back, %first : index
      %window = arith.andi %begins, %ends : i1
      %from = arith.cmpi sge, %j, %far : index
      %to = arith.cmpi sle, %j, %farther : index
      %island = arith.andi %from, %to : i1
      %allowed = arith.ori %window, %island : i1
      tercet.yield %allowed : i1
    }
    %o = tercet.sparse %q, %k, %v scale(%scale) mask(%near)
    tercet.return %o
  })";

bool allows(int64_t i, int64_t j) { return (i - j >= 70 && i - j < 220) || (j >= 66000 && j <= 66100); }

std::vector<DenseProblem> problems() {
  std::vector<DenseProblem> result;
  result.emplace_back(test::DenseShape{.heads = 2, .keyHeads = 1, .queries = 330, .keys = 330, .allows = allows});
  // Scores far below 0: a row that took 0 for its maximum would lose them all.
  result.emplace_back(test::DenseShape{.queries = 200, .keys = 260, .opposed = 40, .allows = allows});
  result.emplace_back(test::DenseShape{
      .batch = 2, .queries = 130, .keys = 90, .queryLengths = {130, 77}, .keyLengths = {0, 81}, .allows = allows});
  result.emplace_back(test::DenseShape{.queries = 100, .keys = 66090, .allows = allows});
  return result;
}

const std::vector<test::KernelEdit> edits = {};

} // namespace

TEST_CASE("a mask without classes leaves the right tiles, in every mode", "[simulator][nvrtc]") {
  test::BugCount count = test::findBugs("sm_80", 64, problems(), edits, windowSpec);
  CHECK(count.found == count.bugs);
}
