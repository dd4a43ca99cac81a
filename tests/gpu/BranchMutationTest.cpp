// Bugs put one by one into the kernels of several branches and of token orders, each found by running the plan with it.
#include "gpu/EditedPlan.h"

#include <catch2/catch.hpp>

namespace tercet::test {
namespace {

const std::vector<KernelEdit> sumEdits = {
    {"first_input_row = member * input_rows", "first_input_row = group * input_rows"},
    {"input_rows = ceil_div(all_rows, 64)", "input_rows = quotient(all_rows, 64)"},
    {"kept_rows<16, 64>(added_rows, row, live_rows)", "kept_rows<16, 1>(added_rows, row, live_rows)"},
    {"static_cast<u32>(row) / SHARE", "static_cast<u32>(row) / SHARE + 1"},
    {"times_gate = x * entry", "times_gate = x"},
    {"clamped(i, {g_size2, g_stride2})", "clamped(j_2, {g_size2, g_stride2})"},
    {"clamped(j_2, {g_size3, g_stride3})", "0"},
    {"clamped(head_index, {g_size1, g_stride1})", "clamped(batch_index, {g_size1, g_stride1})"},
    {"}, added, row, 0);", "}, added, block_row, 0);"},
    {"__fadd_rn(x, y)", "x"},
};

// Wide outputs are finished some columns at a time.
const std::vector<KernelEdit> partEdits = {
    {"output_2 = columns<16, 16>(acc)", "output_2 = columns<0, 16>(acc)"},
    {"added_part_2 = columns<16, 16>(added_rows_2)", "added_part_2 = columns<0, 16>(added_rows_2)"},
    {"}, added_2, row, 16);", "}, added_2, row, 0);"},
    {"o_part_2 = columns<16, 16>(o_rows_2)", "o_part_2 = columns<0, 16>(o_rows_2)"},
    {"tile.at[AT / 2 + i]", "tile.at[i]"},
    {"{rows.base + AT, rows.stride}", "{rows.base, rows.stride}"},
};

const std::vector<KernelEdit> poolEdits = {
    {"first = pool * STRIDE", "first = pool"},
    {"smaller(left, LENGTH), weights", "LENGTH, weights"},
    {"live_tokens(lengths, head.batch, count) - first", "count - first"},
    {"sum.x / count", "sum.x"},
    {"(gr * pools_of_head + pool) * COLS", "pool * COLS"},
    {"batch_stride, head.query_head, head_stride", "batch_stride, 0, head_stride"},
};

const std::vector<KernelEdit> weightEdits = {
    {"smaller(token, entries - 1)", "token"},
    {"weights.first == nullptr ? 1.0f : weights.of(t)", "1.0f"},
    {"weights.first != nullptr || live <= 0 ? 1.0f", "live <= 0 ? 1.0f"},
    {"table + smaller(head, heads - 1) * head_stride", "table"},
};

const std::vector<KernelEdit> stateEdits = {
    {"store_pair(state.row(r), max.at[half], sum.at[half])", "store_pair(state.row(r), sum.at[half], max.at[half])"},
    {"kept_state_rows_offset = first_row_3 * 2", "kept_state_rows_offset = 0"},
    {"o_rows_offset = first_row_2 * 16", "o_rows_offset = 0"},
    {"first_pool = group * key_pools", "first_pool = 0"},
    {"live_key_pools = ceil_div(live_keys, 32)", "live_key_pools = key_pools"},
};

const std::vector<KernelEdit> resumeEdits = {
    {"merge_softmax<1>(numerator_rows, state_rows, row, live_rows, row_max, row_sum, acc);", ""},
    {"lane() % 4 == 0 ? before.y * earlier : 0.0f", "before.y * earlier"},
    {"max.at[half] = top;", ""},
    {"exp2_approx(max.at[half] - top)", "1.0f"},
    {"exp2_approx(before.x - top)", "1.0f"},
    {"state_rows_offset = first_input_row_2 * 2", "state_rows_offset = 0"},
    {"numerator_rows_offset = first_input_row * 16", "numerator_rows_offset = 0"},
    {"pair.y * earlier", "0.0f"},
};

const std::vector<KernelEdit> gatherEdits = {
    {"at.x + remainder(inside, at.width)", "remainder(inside, at.width)"},
    {"t = at.t + quotient(line, at.height)", "t = at.t"},
    {"smaller(X, grid_x - x)", "X"},
    {"return at.depth * at.height * at.width;", "return block;"},
    {"before() + grid() + behind * block + inside", "before() + behind * block + inside"},
    {"to += (batch * heads + head) * places * COLS", "to += head * places * COLS"},
    {"= static_cast<i32>(order.token(place));", "= static_cast<i32>(place);"},
    {"counts[batch * blocks + number] = ", "counts[0] = "},
};

const std::vector<KernelEdit> scatterEdits = {
    {"to + token * row_stride", "to + place * row_stride"},
    {"if (token < 0)", "if (false)"},
    {"head.batch * key_heads * heads_per_key_head + head.query_head", "head.query_head"},
    {"head.batch * key_heads * heads_per_key_head + head.query_head", "0"},
    {"to += head_offset(", "to += 0 * head_offset("},
};

/// Three batch entries of four heads on two, with lengths that leave tails.
Case ragged(std::string spec) {
  return {.name = "edited",
          .spec = std::move(spec),
          .shape = {.batch = 3, .heads = 4, .headsKV = 2, .tokensQ = 65, .tokensK = 90, .headDim = 16},
          .queryLengths = {65, 35, 50},
          .keyLengths = {90, 33, 90},
          .poison = true};
}

/// Clipped tiles, then text. blocks: parameters of the block size.
Case onGrid(std::string spec, const std::vector<std::string> &blocks) {
  Case entry = {.name = "edited",
                .spec = std::move(spec),
                .settings = {{"tile_t", "2"}, {"tile_y", "2"}, {"tile_x", "4"}},
                .parameters = {{"grid_t", 3}, {"grid_y", 3}, {"grid_x", 6}},
                .shape = {.batch = 2, .heads = 2, .tokensQ = 54 + 5, .tokensK = 54 + 20, .headDim = 16}};
  for (const std::string &name : blocks)
    entry.settings[name] = "16";
  return entry;
}

} // namespace

TEST_CASE("bugs in sums of branches and gates are found by running them", "[mutation]") {
  requireFound("attend", {ragged("pooled_queries")}, sumEdits);
  Case wide = ragged("pooled_queries");
  wide.shape.valueDim = 136;
  requireFound("attend", {wide}, partEdits);
}

TEST_CASE("bugs in pools of tokens are found by running them", "[mutation]") {
  requireFound("attend1_k", {ragged("pooled_queries")}, poolEdits);
  requireFound("attend_v", {ragged("weighted_pools")}, weightEdits);
}

TEST_CASE("bugs in states that a softmax goes on from are found by running them", "[mutation]") {
  requireFound("attend1", {ragged("joint_branches")}, stateEdits);
  requireFound("attend", {ragged("joint_branches")}, resumeEdits);
}

TEST_CASE("bugs in copies in the order of tiles are found by running them", "[mutation]") {
  requireFound("tile_q", {onGrid("tiled_branches@suffix", {"block"})}, gatherEdits);
  requireFound("untile", {onGrid("sla@suffix", {"block_q", "block_k"})}, scatterEdits);
}

} // namespace tercet::test
