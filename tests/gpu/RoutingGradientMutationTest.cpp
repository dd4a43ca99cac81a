// Bugs put one by one into lists of queries that select for themselves and into passes over them, each found by running the backward.
#include "gpu/EditedBackward.h"

#include <catch2/catch.hpp>

namespace tercet::test {
namespace {

const std::vector<KernelEdit> listEdits = {
    {"line * groups + listed++", "line * groups + listed"},
    {"gr * key_blocks + block;", "block;"},
    {"listed_rows * group + 32 * half, rows, word, words}", "listed_rows * group, rows, word, words}"},
    {"rows = lane() == j ? all : rows;", "rows = all;"},
    {"cut |= of.own(cut_bits);\n    }\n    cut = bits_of_warp(cut);\n    if (block",
     "cut = of.own(cut_bits);\n    }\n    cut = bits_of_warp(cut);\n    if (block"},
    {"(group) | ((cut >> lane() & 1) != 0 ? partial_entry : 0)", "(group)"},
    {"rows, word, words};\n      taken[half] = rows_with_bits(of.own(bits));",
     "rows, word, words};\n      taken[half] = of.own(bits);"},
    {"(group) | ((cut >> lane() & 1) != 0 ? partial_entry : 0));\n      takers[2 * place] = "
     "static_cast<i32>(taken[0]);",
     "(group) | ((cut >> lane() & 1) != 0 ? partial_entry : 0));\n      takers[2 * place] = "
     "static_cast<i32>(taken[1]);"},
    {"block = 32 * word + lane()", "block = lane()"},
    {"own |= __shfl_xor_sync(whole_warp, own, distance);", ""},
    {"row / BLOCK_Q) * words + word]", "row / BLOCK_Q) * words]"},
};

const std::vector<KernelEdit> keyEdits = {
    {"(own >> tile.col_of(i) & 1) != 0", "true"},
    {"own >> tile.col_of(i)", "own >> 8 * (i / 4)"},
    {"static_cast<u32>(takers[at + 1])) << 32", "static_cast<u32>(takers[at])) << 32"},
    {"(own & all) == all", "(own & 1) != 0"},
    {"entry_words = column_at * 2", "entry_words = column_at"},
};

const std::vector<KernelEdit> queryEdits = {
    {"own >> (tile.first_row() + 8 * tile.row_of(i))", "own >> tile.first_row()"},
    {"static_cast<u32>(takers) >> row % 32", "static_cast<u32>(takers)"},
    {"(own & 0xffff) == 0xffff", "(own & 1) != 0"},
    {"takers_at = entry_words + half", "takers_at = entry_words"},
    {"entry_words = column_at * 2", "entry_words = column_at"},
};

} // namespace

// More than 32 key blocks and more than 64 queries, a mask that cuts blocks, a score region.
TEST_CASE("bugs in gradients of small query blocks are found by running them", "[mutation][routing]") {
  Case entry = raggedBackward("token_routed");
  entry.shape.tokensK = 570;
  entry.keyLengths = {570, 100, 20};
  entry.parameters = {{"reach", 400}};
  requireFoundInBackward(entry,
                         {{"column_lists", listEdits}, {"gradient_keys", keyEdits}, {"gradient_queries", queryEdits}});
}

} // namespace tercet::test
