// Bugs in how super rows are listed and taken, one at a time, in the plan of sla for sm_90a: the simulator must find all but
// those that change nothing. What dense attention has too is edited in unit/simulator/WarpgroupMutationTest.cpp.
#include "gpu/EditedPlan.h"
#include "unit/simulator/KernelEdits.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

namespace {

const std::vector<KernelEdit> attendEdits = {
    // Which list.
    {"super_rows = ceil_div(query_blocks, 2)", "super_rows = query_blocks / 2"},
    {"super_rows = ceil_div(query_blocks, 2)", "super_rows = query_blocks"},
    {"list = first_list + query_rows", "list = first_list + query_block"},
    {"list_base = list * key_blocks", "list_base = list_row * key_blocks"},
    // Entries.
    {"return entry >> 2;", "return entry >> 1;"},
    {"return entry >> 2;", "return entry & 3;"},
    {"(entry >> worker & 1) != 0", "(entry & 1) != 0"},
    {"(entry >> worker & 1) != 0", "(entry >> (1 - worker) & 1) != 0"},
    {"entry_takes(key_block, worker)", "true"},
    {"entry_takes(key_block, worker)", "!entry_takes(key_block, worker)"},
    // Passing over an entry.
    {"        keys.wait(j);\n        keys.release(j);\n", ""},
    {"        keys.wait(j);\n        keys.release(j);\n", "        keys.wait(j);\n"},
    {"        keys.wait(j);\n        keys.release(j);\n", "        keys.release(j);\n"},
    {"clear_rows<2>(v_tile, keys_left);\n        values.release(j);", "clear_rows<2>(v_tile, keys_left);"},
    {"clear_rows<2>(v_tile, keys_left);\n        values.release(j);", "values.release(j);"},
    {"clear_rows<2>(v_tile, keys_left);\n        values.release(j);", ""},
    {"clear_rows<2>(v_tile, keys_left);\n        values.release(j);",
     "clear_rows<2>(v_tile, keys_left);\n        if (warp() % 4 == 0)\n          values.release(j);"},
    // The worker's own query block.
    {"state_row = list_row + worker", "state_row = list_row"},
    {"state_row = list_row + worker", "state_row = list_row + 1"},
    {"row = block_row + worker_row", "row = block_row"},
};

const std::vector<KernelEdit> listEdits = {
    {"  __syncthreads();\n  const index query_blocks", "  const index query_blocks"},
    {"twin = row ^ 1", "twin = row + 1"},
    {"twin = row ^ 1", "twin = row"},
    {"gr * ceil_div(query_blocks, 2) + row / 2", "gr * (query_blocks / 2) + row / 2"},
    {"gr * ceil_div(query_blocks, 2) + row / 2", "gr * ceil_div(query_blocks, 2) + row"},
    {"row < query_blocks ? counts[gr * query_blocks + row] : 0",
     "row < query_blocks - 1 ? counts[gr * query_blocks + row] : 0"},
    // Places.
    {"to[i + below - in_both -", "to[i + below -"},
    {"to[i + below - in_both -", "to[i - in_both -"},
    {"- __popc(shared & lanes_before())]", "]"},
    {"in_both += __popc(shared);", ""},
    {"first < count; first += 32", "first < count; first += 64"},
    {"first = below ? first + half + 1 : first;", "first = below ? first + half : first;"},
    {"list[first + half] < bound", "list[first + half] <= bound"},
    {"count = below ? count - half - 1 : half;", "count = below ? count - half - 1 : half - 1;"},
    // Entries and numbers.
    {"both ? 3 : 1 << member", "1 << member"},
    {"both ? 3 : 1 << member", "3"},
    {"both ? 3 : 1 << member", "both ? 3 : 2 - member"},
    {"!(both && member == 1)", "true", "both of the pair write the same entry"},
    {"return block << 2 |", "return block << 3 |"},
    {"count + others - in_both", "count + others"},
    {"count + others - in_both", "count"},
};

Case givenClasses(int64_t heads, int64_t keyHeads, int64_t queries, int64_t keys) {
  return {.name = "edited",
          .spec = "sla",
          .shape = {.heads = heads, .headsKV = keyHeads, .tokensQ = queries, .tokensK = keys, .headDim = 64},
          .dtype = DType::bf16,
          .given = Given::random};
}

/// Scores far below 0 in every block that a row takes: wrong where a row's first block is not taken for its first.
Case farBelowZero() {
  Case entry = givenClasses(6, 6, 256, 130);
  entry.scale = 16;
  entry.content = Content::repeated;
  return entry;
}

} // namespace

TEST_CASE("bugs in how super rows are taken are found by running them", "[superrows][mutation]") {
  // An odd number of query blocks, tails of both, more entries than slots.
  Case lengths = givenClasses(1, 1, 200, 600);
  lengths.queryLengths = {130};
  lengths.keyLengths = {450};
  lengths.poison = true;
  EditedPlan plan("sm_90a", "attend", {givenClasses(2, 1, 300, 700), lengths, farBelowZero()});
  BugCount count =
      countBugs(plan.source(), attendEdits, [&](const std::string &edited) { return plan.findFault(edited); });
  CHECK(count.bugs >= 20);
  CHECK(count.found == count.bugs);
}

TEST_CASE("bugs in how super rows are listed are found by running them", "[superrows][mutation]") {
  // Lists that a warp places in two turns.
  EditedPlan plan("sm_90a", "given_classes",
                  {givenClasses(2, 1, 300, 700), givenClasses(1, 1, 128, 64 * 120), farBelowZero()});
  BugCount count =
      countBugs(plan.source(), listEdits, [&](const std::string &edited) { return plan.findFault(edited); });
  CHECK(count.bugs >= 15);
  CHECK(count.found == count.bugs);
}
