// Dense attention under a mask without classes: the tiles of keys that a block takes are found on the way. Every mode, and
// bugs one at a time.
#include "unit/simulator/DenseEdits.h"

#include <catch2/catch.hpp>

using namespace tercet;
using test::DenseProblem;

namespace {

// The keys from 72 to 216 tokens behind a query; those from 151,000 to 151,100; key 5500 for query 127; and for the first 64
// queries those from 70,000 up and 69,000 down, which are none. Rows of one half of a warp meet their first key later than those of the other: from 72 on,
// and from 216 + 64 on. Windows of steps without a key lie between others, and a window has keys in several parts.
const char *const windowSpec = R"(
  tercet.spec @window(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
    %scale = tercet.param scale = auto : !tercet.runtime<f64>
    %near = tercet.mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %nearest = arith.constant 72 : index
      %farthest = arith.constant 216 : index
      %back = arith.subi %i, %j : index
      %begins = arith.cmpi sge, %back, %nearest : index
      %ends = arith.cmpi sle, %back, %farthest : index
      %window = arith.andi %begins, %ends : i1
      %far = arith.constant 151000 : index
      %farther = arith.constant 151100 : index
      %from = arith.cmpi sge, %j, %far : index
      %to = arith.cmpi sle, %j, %farther : index
      %island = arith.andi %from, %to : i1
      %query = arith.constant 127 : index
      %key = arith.constant 5500 : index
      %is_query = arith.cmpi eq, %i, %query : index
      %is_key = arith.cmpi eq, %j, %key : index
      %pair = arith.andi %is_query, %is_key : i1
      %up = arith.constant 70000 : index
      %down = arith.constant 69000 : index
      %above = arith.cmpi sge, %j, %up : index
      %below = arith.cmpi sle, %j, %down : index
      %first_rows = arith.constant 64 : index
      %is_first = arith.cmpi slt, %i, %first_rows : index
      %no_key = arith.andi %above, %below : i1
      %nothing = arith.andi %no_key, %is_first : i1
      %both = arith.ori %window, %island : i1
      %more = arith.ori %both, %pair : i1
      %allowed = arith.ori %more, %nothing : i1
      tercet.yield %allowed : i1
    }
    %o = tercet.sparse %q, %k, %v scale(%scale) mask(%near)
    tercet.return %o
  })";

bool allows(int64_t i, int64_t j) {
  return (i - j >= 72 && i - j <= 216) || (j >= 151000 && j <= 151100) || (i == 127 && j == 5500);
}

std::vector<DenseProblem> problems() {
  std::vector<DenseProblem> result;
  result.emplace_back(test::DenseShape{.heads = 2, .keyHeads = 1, .queries = 330, .keys = 330, .allows = allows});
  // Scores far below 0: a row that took 0 for its maximum would lose them all.
  result.emplace_back(test::DenseShape{.queries = 300, .keys = 260, .opposed = 40, .allows = allows});
  result.emplace_back(test::DenseShape{
      .batch = 2, .queries = 130, .keys = 90, .queryLengths = {130, 77}, .keyLengths = {0, 81}, .allows = allows});
  result.emplace_back(test::DenseShape{.queries = 130, .keys = 151090, .opposed = 40, .allows = allows});
  return result;
}

const std::vector<test::KernelEdit> edits = {
    // What the mask does to a range of keys.
    {"rows_end = block_row + block_rows", "rows_end = block_row + block_rows - 1"},
    {"live_end = smaller(rows_end, live_rows)", "live_end = rows_end",
     "a mask may allow pairs of rows that are not there"},
    {"last_row = live_end - 1", "last_row = block_row"},
    {"= block_row - last_key", "= last_row - last_key"},
    {"= last_row - first_key", "= block_row - first_key"},
    {"forbids = value_43 ^ true", "forbids = false"},
    {"forbids = value_43 ^ true", "forbids = true", "a tile looked at pair by pair for nothing"},
    {"MaskEffect{value_44, forbids}", "MaskEffect{value_43, forbids}"},
    {"MaskEffect{value_44, forbids}", "MaskEffect{true, forbids}"},
    // Windows, parts and steps.
    {"windows = allowed<KEYS * window_steps>(rule, next_window)", "windows = allowed<KEYS * window_steps>(rule, 0)"},
    {"next_window += 32;\n        if (next_window * KEYS * window_steps >= live)\n          return 0;\n        "
     "continue;",
     "return 0;", "32 windows are 2,097,152 keys"},
    {"next_window += __ffs(static_cast<int>(windows));", "next_window += 1;", "windows without a step are passed over"},
    {"next_window += __ffs(static_cast<int>(windows));", "next_window += 32;"},
    {"base = (next_window - 1) * window_steps;", "base = 0;"},
    {"base = (next_window - 1) * window_steps;", "base = next_window * window_steps;"},
    {"if (const index count = list_window(rule); count > 0)\n        return count;", "return list_window(rule);"},
    {"end = smaller(begin + WIDTH, live)", "end = begin + WIDTH", "a tile without keys is masked whole"},
    {"rule(Int(begin), Int(end - 1))", "rule(Int(begin), Int(begin))"},
    {"rule(Int(begin), Int(end - 1))", "rule(Int(end - 1), Int(end - 1))"},
    {"effect<WIDTH>(rule, first + lane()).allows", "effect<WIDTH>(rule, first).allows"},
    {"allowed<KEYS * part_steps>(rule, base / part_steps)", "allowed<KEYS * part_steps>(rule, 0)"},
    {"(__ffs(static_cast<int>(left)) - 1) * part_steps +", "(__ffs(static_cast<int>(left)) - 1) +"},
    {"effect<KEYS>(rule, base + step)", "effect<KEYS>(rule, step)"},
    // The list of a window.
    {"list[count + __popc(taken & lanes_before())]", "list[count]"},
    {"list[count + __popc(taken & lanes_before())]", "list[__popc(taken & lanes_before())]"},
    {"threadIdx.x < 32 && found.allows", "threadIdx.x < 32"},
    {"threadIdx.x < 32 && found.allows", "threadIdx.x < 16 && found.allows"},
    {"found.forbids ? 0x8000 : 0", "0"},
    {"count += __popc(taken);\n    }\n    __syncthreads();", "count += __popc(taken);\n    }"},
    {"    __syncthreads(); // the list before this one was read\n", ""},
    {"(entry & 0x7fff)", "(entry & 0xff)"},
    {"static_cast<u32>(base) + (entry", "(entry"},
    {"((entry & 0x8000) << 16)", "0"},
    // What the loop makes of entries.
    {"key_block & 2147483647", "key_block"},
    {"partial = key_block < 0", "partial = false"},
    {"partial = key_block < 0", "partial = true", "tiles of which the mask forbids nothing"},
    {"while (const index steps = window.next(rule)) {", "if (const index steps = window.next(rule)) {"},
    {"    drain_copies();\n  }", "  }"},
    // Pairs of a tile, and rows that have met no key.
    {"}, scores, row, key_first);", "}, scores, row, 0);"},
    {"}, scores, row, key_first);", "}, scores, block_row, key_first);"},
    {"}, scores, row, key_first);", "}, scores, row, first_key);"},
    {"Int(row) + Int(tile.first_row())", "Int(row)"},
    {"Int(col) + Int(tile.col_of(0))", "Int(col)"},
    {"Int(8 * Result::row_of(i))", "Int(0)"},
    {"Int(8 * (i / 4) + i % 2)", "Int(8 * (i / 4))"},
    {"kept = value_18 ? x : -infinity()", "kept = value_18 ? x : 0.0f"},
    {"(fresh[0] ? -infinity() : threshold)", "threshold"},
    {"(fresh[1] ? -infinity() : threshold)", "threshold"},
    {"wanted = fresh[row] ? top.at[row] : fmaxf(top.at[row], 0.0f)", "wanted = fmaxf(top.at[row], 0.0f)"},
    {"wanted == -infinity() ? 0.0f : fresh[row]", "fresh[row]"},
    {"reference = fresh ? 0.0f : m", "reference = m"},
};

} // namespace

TEST_CASE("a mask without classes leaves the right tiles, in every mode", "[simulator][nvrtc]") {
  test::BugCount count = test::findBugs("sm_80", 64, problems(), edits, windowSpec);
  CHECK(count.bugs >= 35);
  CHECK(count.found == count.bugs);
}
