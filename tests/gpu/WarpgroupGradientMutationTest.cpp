// Bugs put one by one into gradients by warpgroups, each found by running the backward with it. What the rings and products of the device
// library have in common with the forward is edited in unit/simulator/WarpgroupMutationTest.cpp.
#include "gpu/EditedBackward.h"

#include <catch2/catch.hpp>

namespace tercet::test {
namespace {

/// Three heads on each of two that they share, tails of both sides, lengths, several turns of the rings, numbers that are not there.
Case grouped() {
  return {.name = "edited",
          .spec = "dense",
          .shape = {.batch = 2, .heads = 6, .headsKV = 2, .tokensQ = 340, .tokensK = 660, .headDim = 64},
          .dtype = DType::bf16,
          .queryLengths = {340, 150},
          .keyLengths = {100, 600},
          .poison = true};
}

const std::vector<KernelEdit> queryEdits = {
    // Copies.
    {"next_row = first_row + 64", "next_row = first_row"},
    {"rows_x.fill(1, q,", "rows_x.fill(0, q,"},
    {"rows_y.fill(0, d_o,", "rows_y.fill(0, q,"},
    {"cols_y.fill(j, v, column, key_head,", "cols_y.fill(j, v, column, head,"},
    {"cols_y.fill(j, v, column,", "cols_y.fill(j, k, column,"},
    {"rows_x.wait(worker)", "rows_x.wait(0)"},
    {"rows_y.wait(worker)", "rows_y.wait(1)"},
    // Slots.
    {"clear_rows<2>(x_tile, cols_left);", ""},
    {"clear_rows<2>(y_tile, cols_left);", ""},
    {"      cols_x.release(j);\n", ""},
    {"      cols_y.release(j);\n", ""},
    {"      await<0>(grad_x);\n      cols_x.release(j);", "      cols_x.release(j);\n      await<0>(grad_x);"},
    {"    rows_x.release(worker);\n", "", "no copy ever waits for the rows' slots"},
    // Products.
    {"await<1>(scores_product)", "await<2>(scores_product)"},
    {"await<0>(d_p_product)", "await<1>(d_p_product)"},
    {"      await<0>(grad_x);\n", ""},
    {"scores_product(Depth<64>(), x_operand, x_tile)", "scores_product(Depth<64>(), y_operand, x_tile)"},
    {"accumulate_async(d_s, x_tile, grad_x)", "accumulate_async(d_s, y_tile, grad_x)"},
    {"accumulate_async(d_s, x_tile, grad_x)", "accumulate_async(p, x_tile, grad_x)"},
    // Numbers.
    {"mask_cols(scores, cols_left_2)", "mask_cols(scores, cols_left_2 + 1)",
     "K was cleared there, and no LSE here is so low that P would overflow"},
    {"row_shift_at = member * padded_queries", "row_shift_at = member * queries"},
    {"kept_rows<64, 1>(row_sums, row, live_queries)", "kept_rows<64, 1>(row_sums, first_row, live_queries)"},
    {"centred = g - d", "centred = g"},
    {"row = first_row + worker_row", "row = first_row"},
};

const std::vector<KernelEdit> keyEdits = {
    // From head to head.
    {"number = before + j", "number = j"},
    {"before = so_far;", "before = steps;"},
    {"member_of_share = first_member + share", "member_of_share = first_member"},
    {"head = first_head + share", "head = first_head"},
    // Copies.
    {"cols_x.fill(number, q,", "cols_x.fill(number, d_o,"},
    {"head, batch, col_shifts)", "head, batch, col_sums)"},
    {"head, batch, col_sums)", "head, batch, col_shifts)"},
    {"rows_y.fill(1, v, next_row", "rows_y.fill(1, v, first_row"},
    {"clear_rows<2>(x_tile, cols_left);", ""},
    {"clear_rows<2>(y_tile, cols_left);", ""},
    // Products.
    {"await<1>(scores_product)", "await<2>(scores_product)"},
    {"await<1>(d_p_product)", "await<2>(d_p_product)"},
    {"        await<1>(grad_y);\n", "", "the wait for the other gradient is for both"},
    {"        await<0>(grad_x);\n", ""},
    {"accumulate_async(p, y_tile, grad_y)", "accumulate_async(p, x_tile, grad_y)"},
    {"accumulate_async(d_s, x_tile, grad_x)", "accumulate_async(p, x_tile, grad_x)"},
    // Numbers of columns.
    {"cols_x.columns<64>(number)", "cols_y.columns<64>(number)"},
    {"cols_y.columns<64>(number)", "cols_y.columns<64>(number + 1)"},
    {"Slot::bytes + more);", "Slot::bytes);"},
    {"number_bytes = 4 * Slot::rows,", "number_bytes = 2 * Slot::rows,"},
    {"Ring::bytes + slot * number_bytes;", "Ring::bytes;"},
    {"from.row(row), number_bytes", "from.row(0), number_bytes"},
    {"+ 8 * (lane() % 4);", "+ 8 * (lane() / 8);"},
    {"load_shared_pair(from + 8 * i)", "load_shared_pair(from)"},
    {"result.at[i] = result.at[i + 2] = pair.x", "result.at[i] = result.at[i + 2] = pair.y"},
    {"NumberedRing<SwizzledTile<bf16, 64, 64>, 4, 2> cols_y(shared, ",
     "NumberedRing<SwizzledTile<bf16, 64, 64>, 4, 2> cols_y(shared, -1024 + "},
};

const std::vector<KernelEdit> rowEdits = {
    {"padded = ceil_div(tokens, PAD) * PAD;", "padded = tokens;"},
    {"shifts[gr * padded + row]", "shifts[gr * tokens + row]"},
    {"sums[gr * padded + row]", "sums[gr * tokens + row]"},
    {"= sees ? shift : -infinity();", "= shift;"},
};

/// What a worker takes of the list that it shares with the other one.
const std::vector<KernelEdit> superRowEdits = {
    {"list_rows = 128", "list_rows = 64"},
    {"entry_block(column_block)", "column_block"},
    {"entry_takes(column_block, worker)", "true"},
    {"entry_takes(column_block, worker)", "entry_takes(column_block, 0)"},
    {" cols_x.release(", " if (takes) cols_x.release("},
};

const std::vector<KernelEdit> transposedListEdits = {
    {"keys, queries, lists, counts, super_lists", "queries, keys, lists, counts, super_lists"},
    {"super_entry(block, both ? 3 : 1 << member)", "super_entry(block, 3)"},
    {"gr * ceil_div(query_blocks, 2) + row / 2", "gr * (query_blocks / 2) + row / 2"},
};

} // namespace

TEST_CASE("bugs in gradients by warpgroups are found by running them", "[mutation][warpgroups]") {
  requireFoundInBackward(grouped(),
                         {{"gradient_queries", queryEdits}, {"gradient_keys", keyEdits}, {"gradient_rows", rowEdits}},
                         "sm_90a");
}

TEST_CASE("bugs in gradients of super rows are found by running them", "[mutation][warpgroups]") {
  Case lists = grouped();
  lists.spec = "sparse_topk";
  lists.given = Given::random;
  requireFoundInBackward(lists,
                         {{"gradient_queries", superRowEdits},
                          {"gradient_keys", superRowEdits},
                          {"transposed_lists", transposedListEdits}},
                         "sm_90a");
}

} // namespace tercet::test
