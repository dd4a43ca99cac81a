// Bugs put one by one into what masks and score regions add to the kernels of gradients, each found by running the backward with it.
#include "gpu/EditedBackward.h"

#include <catch2/catch.hpp>

namespace tercet::test {
namespace {

/// Scores capped and a mask that lists steps, whose columns are keys, or queries.
const std::vector<KernelEdit> queryEdits = {
    {"forbids = value_4 ^ true", "forbids = false"},
    {"forbids = value_4 ^ true", "forbids = true", "the mask forbids nothing in the other tiles"},
    {"last_row = live_end - 1", "last_row = first_row", "blocks of rows are tiles of columns"},
    {"partial = column_block < 0", "partial = false"},
    {"column_listed = column_block & 2147483647", "column_listed = j",
     "the steps of a causal row begin with the first"},
    {"ahead_listed = ahead_block & 2147483647", "ahead_listed = next", "the same"},
    {"kept = value_4 ? x : -infinity()", "kept = value_4 ? x : 0.0f"},
    {"allowed = of_allowed;", "allowed = scored;"},
    {"allowed = scored;", "allowed = scores;"},
    {"exponent = fmaf(s, log2_e, m)", "exponent = fmaf(s, 1.0f, m)"},
    {"times_slope = g * y", "times_slope = g"},
    {"return of_product;", "return g;"},
    {"}, scored, row, column);", "}, scored, first_row, column);"},
    {"}, scored, row, column);", "}, scored, row, 0);"},
};

const std::vector<KernelEdit> keyEdits = {
    {"forbids = value_4 ^ true", "forbids = false"},
    {"value_5 = first_row <= last_col", "value_5 = last_row <= first_col"},
    {"partial = column_block < 0", "partial = false"},
    {"column_listed = column_block & 2147483647", "column_listed = j"},
    {"value_4 = i <= j_2", "value_4 = j_2 <= i"},
    {"cols_of_rows = has_rows ? live_queries : 0", "cols_of_rows = live_keys"},
    {"allowed = scored;", "allowed = scores;"},
    {"times_slope = g * y", "times_slope = g"},
};

/// Scores scaled by what belongs to a query.
const std::vector<KernelEdit> tableEdits = {
    {"clamped(head_index, ", "clamped(batch_index, "},
    {"clamped(j_2, ", "clamped(i, "},
    {"allowed = scored;", "allowed = scores;"},
    {"times_slope = g * y", "times_slope = g"},
    {"masked = mask_cols(allowed, cols_left)", "masked = allowed",
     "of rows beyond the length the case has numbers in the table"},
    {"counts ? times_slope : 0.0f", "times_slope", "the slope is finite"},
};

/// Listed blocks that a mask cuts. In what the column of a step becomes in 32 bits, the bit of its entry is lost anyway.
const std::vector<KernelEdit> listedEdits = {
    {"start_block & 2147483647", "start_block"},
    {"ahead_block & 2147483647", "ahead_block"},
    {"partial = column_block < 0", "partial = false"},
    {"partial = column_block < 0", "partial = true", "the mask forbids nothing in the other blocks"},
    {"allowed = of_allowed;", "allowed = scores;"},
};

const std::vector<KernelEdit> listEdits = {
    {"(partial ? partial_entry : 0)", "0"},
    {"(rule & rule_empty) == 0 && ", ""},
    {"rules[(gr * query_blocks + i) * key_blocks + j]", "rules[i * key_blocks + j]"},
    {"rules[(gr * query_blocks + i) * key_blocks + j]", "rules[(gr * query_blocks + j) * key_blocks + i]"},
    {"partial = (rule & rule_partial) != 0", "partial = (rule & rule_empty) != 0"},
};

} // namespace

TEST_CASE("bugs in gradients under masks and score regions are found by running them", "[mutation]") {
  Case capped = raggedBackward("softcap");
  capped.parameters = {{"cap", 0.7}};
  requireFoundInBackward(capped, {{"gradient_queries", queryEdits}, {"gradient_keys", keyEdits}});
  requireFoundInBackward(raggedBackward("temperature"), {{"gradient_keys", tableEdits}});
}

TEST_CASE("bugs in gradients of blocks that a mask cuts are found by running them", "[mutation]") {
  Case entry = raggedBackward("document_bands");
  entry.parameters = {{"reach", 0}};
  requireFoundInBackward(
      entry, {{"gradient_queries", listedEdits}, {"gradient_keys", listedEdits}, {"transposed_lists", listEdits}});
}

} // namespace tercet::test
