// Bugs in the dense kernel for sm_80 and in the device library, one at a time: the simulator must find all but those that change
// nothing.
#include "unit/simulator/DenseEdits.h"

#include <catch2/catch.hpp>

using namespace tercet;

namespace {

const std::vector<test::KernelEdit> edits = {
    // Rings of copies.
    {"copy_rows<false>(step, source, row, limit - row);\n    commit_copies();",
     "copy_rows<false>(step, source, row, limit - row);"},
    {"wait_copies<LATER>();\n", ""},
    {"wait_copies<LATER>();\n", "wait_copies<LATER + 1>();\n"},
    {"wait_copies<LATER>();\n    __syncthreads();", "wait_copies<LATER>();"},
    {"wait_copies<LATER>();\n    __syncthreads();", "__syncthreads();\n    wait_copies<LATER>();"},
    {"wait_copies<LATER>();\n    __syncthreads();", "wait_copies<LATER>();\n    __syncwarp();"},
    {"static_cast<u32>(step) % SLOTS * Slot::bytes", "static_cast<u32>(step) % (SLOTS + 1) * Slot::bytes"},
    {"static_cast<u32>(step) % SLOTS * Slot::bytes", "0 * Slot::bytes"},
    {"limit - row >= Slot::rows &&", "limit - row >= Slot::rows - 1 &&"},
    {"first + r < live && Slot", "first + r <= live && Slot"},
    {"r * Slot::row_bytes + 16 * c", "r * Slot::row_bytes + 8 * c"},
    {"r * Slot::row_bytes + 16 * c", "r * 128 + 16 * c"},
    {"from + first * source.stride);", "from + (first + 1) * source.stride);"},
    {"\"r\"(live ? 16 : 0)", "\"r\"(16)"},
    {"\"r\"(live ? 16 : 0)", "\"r\"(live ? 8 : 0)"},
    {"first < Slot::rows; first += PASS", "first < Slot::rows - PASS; first += PASS"},
    {"  drain_copies();\n", "", "nothing reads the copies that are left when the loop ends"},
    // Fragments and products.
    {"load_matrices(result.at[k], corner + lane() % 16 * tile.row_bytes",
     "load_matrices(result.at[k], corner + lane() % 8 * tile.row_bytes"},
    {"tile.row_bytes + lane() / 16 * 16 + 32 * k);\n  return result;",
     "tile.row_bytes + lane() / 16 * 16 + 16 * k);\n  return result;"},
    {"(lane() % 8 + lane() / 16 * 8) * b.row_bytes", "(lane() % 8 + lane() / 8 * 8) * b.row_bytes"},
    {"lane() / 8 % 2 * 16;", "lane() / 16 * 16;"},
    {"multiply<Element>(init.at + 8 * n, left, right[0], right[1]);",
     "multiply<Element>(init.at + 8 * n, left, right[0], right[2]);"},
    {"multiply<Element>(init.at + 8 * n + 4, left", "multiply<Element>(init.at + 8 * n, left"},
    {"load_matrices_transposed(right, corner + 16 * k", "load_matrices(right, corner + 16 * k"},
    {"multiply<Element>(acc.at + 8 * n + 4, left.at[k]", "multiply<Element>(acc.at + 8 * n + 4, left.at[0]"},
    {"corner + 16 * k * b.row_bytes + 32 * n);", "corner + 16 * n * b.row_bytes + 32 * k);"},
    {"\"r\"(a[0]), \"r\"(a[1])", "\"r\"(a[1]), \"r\"(a[0])"},
    {"\"f\"(c[0]), \"f\"(c[1])", "\"f\"(c[1]), \"f\"(c[0])"},
    {"pack<Element>(tile.at[8 * k + 2 * e], tile.at[8 * k + 2 * e + 1])",
     "pack<Element>(tile.at[8 * k + 2 * e + 1], tile.at[8 * k + 2 * e])"},
    {"m8n8.x4.trans.shared", "m8n8.x4.shared"},
    // The online softmax.
    {"(tile.col_of(i)) < live ? tile.at[i]", "(tile.col_of(i)) <= live ? tile.at[i]"},
    {"if (cols < COLS) {", "if (cols < COLS - 1) {"},
    {" || top.at[1] > (fresh[1] ? -infinity() : threshold)", ""},
    {"(fresh[0] ? -infinity() : threshold)", "threshold", "all rows of a warp meet their first key in the same step"},
    {"fresh[row] ? top.at[row] : fmaxf(top.at[row], 0.0f)", "top.at[row]"},
    {"fresh[row] ? top.at[row] : fmaxf(top.at[row], 0.0f)", "fmaxf(top.at[row], 0.0f)"},
    {"factor.at[row] = fresh[row] ? 0.0f : exp2_approx(-rise.at[row]);", "factor.at[row] = exp2_approx(rise.at[row]);"},
    {"max.at[row] = fresh[row] ? wanted : moved;", "max.at[row] = rise.at[row];"},
    {"sum.at[row] *= factor.at[row];", ""},
    {"acc = map<ROWS, DEPTH>(product, acc, factor);", ""},
    {"return score - by;", "return score + by;"},
    {"sum.at[scores.row_of(i)] += scores.at[i];", "sum.at[0] += scores.at[i];"},
    {"wanted == -infinity() ? 0.0f : fresh[row]", "fresh[row]", "every tile of dense attention has a live column"},
    {"quad_max(value)", "value"},
    {"quad_add(value)", "value"},
    // Tiles and stores.
    {"COLS >= 8 ? i / 2 % 2 : i;", "COLS >= 8 ? i % 2 : i;"},
    {"8 * (i / 4) + 2 * (lane() % 4) + i % 2 :", "8 * (i / 4) + (lane() % 4) + i % 2 :"},
    {"warp() % 4 * 16 : 0) + lane() / 4;", "warp() % 4 * 16 : 0) + lane() / 8;"},
    {"i = 2 * half; i < tile.size; i += 4", "i = 0; i < tile.size; i += 4"},
    {"if (r < limit) {", "if (r <= limit) {"},
    {"r < limit && lane() % 4 == 0", "lane() % 4 == 0"},
    {"r < limit && lane() % 4 == 0", "r < limit && lane() % 4 == 1", "all threads of a quad hold the value"},
    // The kernel.
    {"keys.wait<2>(j)", "keys.wait<3>(j)"},
    {"values.wait<2>(j)", "values.wait<3>(j)"},
    {"queries.wait<3>(0)", "queries.wait<4>(0)"},
    {"keys_step = j + 2;", "keys_step = j + 1;"},
    {"keys_key = keys_step * keys_per_step;", "keys_key = j * keys_per_step;"},
    {"values_key = values_step * keys_per_step;", "values_key = j * keys_per_step;"},
    {"keys_left = live_keys - key;", "keys_left = live_keys - key + 1;"},
    {"values(shared, 18432)", "values(shared, 9216)"},
    {"all_steps = ceil_div(live_keys, keys_per_step)", "all_steps = live_keys / keys_per_step"},
    {"has_rows ? all_steps : 0", "all_steps", "a CTA without live rows does work that nobody sees"},
    {"const bool empty = x == 0.0f;", "const bool empty = false;"},
    {"const index row = block_row + worker_row;", "const index row = block_row;"},
};

} // namespace

TEST_CASE("bugs in a generated kernel are found by running it", "[simulator][nvrtc]") {
  std::vector<test::DenseProblem> problems;
  problems.emplace_back(test::DenseShape{
      .batch = 2, .heads = 2, .queries = 70, .keys = 200, .queryLengths = {70, 9}, .keyLengths = {191, 0}});
  problems.emplace_back(test::DenseShape{.heads = 2, .keyHeads = 1, .queries = 64, .keys = 256});
  // Scores of hundreds, where every rescaling counts; in one half of a warp's rows only; and all of them far below 0.
  problems.emplace_back(test::DenseShape{.queries = 64, .keys = 320, .scale = 32});
  problems.emplace_back(test::DenseShape{.queries = 64, .keys = 640, .scale = 64, .everyOtherEight = true});
  problems.emplace_back(test::DenseShape{.queries = 16, .keys = 64, .opposed = 32});
  test::BugCount count = test::findBugs("sm_80", 64, problems, edits);
  CHECK(count.bugs >= 40);
  CHECK(count.found == count.bugs);
}
