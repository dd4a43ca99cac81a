// Bugs put one by one into the kernels of the gradients of a linear branch, each found by running the backward with it.
#include "gpu/EditedBackward.h"

#include <catch2/catch.hpp>

namespace tercet::test {
namespace {

/// Heads that share keys, several pairs in a group, tails, lengths, and a denominator that eps is a part of.
const Case sample{.name = "edited",
                  .spec = "sla",
                  .settings = {{"block_q", "64"}, {"block_k", "32"}},
                  .parameters = {{"keep", 0.3}, {"drop", 0.2}, {"eps", 0.3}},
                  .shape = {.batch = 3, .heads = 8, .headsKV = 4, .tokensQ = 75, .tokensK = 90, .headDim = 16},
                  .dtype = DType::bf16,
                  .queryLengths = {75, 40, 66},
                  .keyLengths = {90, 50, 20},
                  .poison = true};

const std::vector<KernelEdit> queryEdits = {
    {"BLOCK > 0 ? quotient(first, larger(BLOCK, 1)) : 0", "0"},
    {"(quad_add(d[half]) - eps * s[half])", "quad_add(d[half])"},
    {"(d[half] + s[half]) * eps", "d[half] * eps"},
    {"(g.at[i] - d[half] * z.x)", "g.at[i]"},
    {"return f * (derivative - mean);", "return f * derivative;"},
    {"__shfl_sync(whole_warp, pair, from + 4)", "__shfl_sync(whole_warp, pair, from)"},
    {"row % 2 == 0 ? (first & 0xffff)", "row % 2 != 0 ? (first & 0xffff)"},
    {"multiply<bf16>(c, a.high, rest.x, rest.y);", "multiply<bf16>(c, a.high, x.x, x.y);"},
    {"r < live && denominator != 0", "denominator != 0", "features of rows beyond the length are 0"},
};

const std::vector<KernelEdit> queryStateEdits = {
    {"return reciprocals[r];", "return 1;"},
    {"? -sums[r]", "? sums[r]"},
    {"in_block = live_in_block<BLOCK>(live, block)", "in_block = BLOCK"},
    {"at = (gr * blocks + block) * State::columns", "at = block * State::columns"},
    {"first = block * BLOCK", "first = 0"},
    {"if (r < live)\n      factor *= factor_of(r);", ""},
};

const std::vector<KernelEdit> transposeEdits = {
    {">> (j % 64) & 1", ">> (i % 64) & 1"},
    {"<< i;", "<< (i ^ 1);"},
    {"(g * lines + 64 * word) * words", "64 * word * words"},
    {"(g * key_blocks + j) * ceil_div", "j * ceil_div"},
};

const std::vector<KernelEdit> keyEdits = {
    {"key_block = BLOCK > 0 ? quotient(first, larger(BLOCK, 1)) : 0", "key_block = 0"},
    {"g.at[i] += i % 2 == 0 ? z.x : z.y;", ""},
    {"mean[half] = quad_add(mean[half]);", ""},
    {"return f * (derivative - mean);", "return f * derivative;"},
    {"add_times_state(y, state, col, features_of);", ""},
    {"((n + col / 16) * (DV / 8) + 2 * k)", "((n + col / 16) * (DV / 8) + 2 * k + 1)"},
};

const std::vector<KernelEdit> projectEdits = {
    {"x.y - rows.centre[c + 1]", "x.y"},
    {"uint2{x[0], x[4]}", "uint2{x[0], x[0]}"},
    {"lane() / 4 * (PADDED / 2)", "lane() / 8 * (PADDED / 2)"},
};

const std::vector<KernelEdit> centreEdits = {
    {"x = to_float(line[0]) + to_float(line[PADDED * PADDED])", "x = 0"},
    {"weight) + e * PADDED + c", "weight) + c * PADDED + e"},
    {"fmaf(x, centre.base[c], sum)", "sum"},
};

const std::vector<KernelEdit> weightEdits = {
    {"col + 16 * m + 8 * half", "col + 16 * m"},
    {"16 * block + 8 * n + 2", "16 * block + 2"},
    {"in_part = live_in_block<BLOCK>(live, block)", "in_part = BLOCK"},
    {"tile.add(values, others);", ""},
};

const std::vector<KernelEdit> sumEdits = {
    {"p * SIZE + row * PADDED", "row * PADDED"},
    {"row * row_stride + col * col_stride", "col * row_stride + row * col_stride"},
    {"index p = 0; p < count", "index p = 1; p < count"},
};

const std::vector<KernelEdit> passEdits = {
    {"tile.at[i] += pair.x;", ""},
    {"tile.at[i + 1] += pair.y;", "tile.at[i + 1] += pair.x;"},
    {"kept.row(r)", "kept.row(row)"},
};

} // namespace

TEST_CASE("bugs in linear gradients of queries are found by running them", "[mutation]") {
  requireFoundInBackward(
      sample, {{"query_gradient", queryEdits}, {"query_states", queryStateEdits}, {"gradient_queries", passEdits}});
}

TEST_CASE("bugs in linear gradients of keys are found by running them", "[mutation]") {
  requireFoundInBackward(
      sample, {{"transpose_bits", transposeEdits}, {"key_gradient", keyEdits}, {"gradient_keys", passEdits}});
}

TEST_CASE("bugs in gradients of projections are found by running them", "[mutation]") {
  requireFoundInBackward(sample, {{"project_values", projectEdits},
                                  {"value_centre", centreEdits},
                                  {"weight_part", weightEdits},
                                  {"sum_weight", sumEdits}});
}

} // namespace tercet::test
