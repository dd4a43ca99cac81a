// Bugs put one by one into the kernels of gradients of block means, each found by running the backward with it.
#include "gpu/EditedBackward.h"

#include <catch2/catch.hpp>

namespace tercet::test {
namespace {

const std::vector<KernelEdit> meanQueryEdits = {
    {"exact = __fadd_rn(exponent, w)", "exact = exponent"},
    {"bits_at = line * row_words", "bits_at = query_block * row_words"},
    {"query_block = quotient(row, block_q)", "query_block = 0"},
    {"mean_k_rows_first_2 = pair_of_plane * key_blocks", "mean_k_rows_first_2 = group * key_blocks"},
    {"mean_v_rows_first_2 = pair_of_plane_4 * key_blocks", "mean_v_rows_first_2 = group * key_blocks"},
    {"cols_y.wait<0>(1)", "cols_y.wait<1>(1)"},
    {"mean_dq_first = member * queries", "mean_dq_first = 0"},
};

const std::vector<KernelEdit> meanKeyEdits = {
    {"exact = __fadd_rn(exponent, w)", "exact = exponent"},
    {"query_block = quotient(column, block_q)", "query_block = 0"},
    {"line = first_line + query_block", "line = query_block"},
    {"of_token = x / n", "of_token = x"},
    {"counts.first_row() + 8 * half) * BLOCK", "8 * half) * BLOCK"},
    {"mean_dk_first = member * key_blocks", "mean_dk_first = 0"},
};

const std::vector<KernelEdit> queryEdits = {
    {"grad_x = mean_dq_kept;", ""},
    {"mean_dq_first = member * queries", "mean_dq_first = 0"},
    {"(mean_dq_rows, row, ", "(mean_dq_rows, 0, "},
};

const std::vector<KernelEdit> keyEdits = {
    {"grad_x = mean_dk_kept;", ""},
    {"grad_y = mean_dv_kept;", ""},
    {"kept_rows<16, 16>(mean_dk_rows", "kept_rows<16, 1>(mean_dk_rows"},
    {"mean_dv_first = member * key_blocks", "mean_dv_first = 0"},
};

// Of means by means of queries: the forward's stage, which runs again, and what makes the gradients of means.
const std::vector<KernelEdit> attendMeansEdits = {
    {"acc.scale(kept);", ""},
    {"sum = fmaf(sum, kept, p);", "sum += p;"},
    {"fmaf(product, unit, -higher) + weight", "fmaf(product, unit, -higher)"},
    {"sum = warp_add(sum);", ""},
    {"members >> lane() & 1", "members & 1"},
    {"live_keys - j * BLOCK_K", "BLOCK_K"},
    {"    __syncthreads();\n    const u32 members", "    const u32 members"},
};

const std::vector<KernelEdit> meanRowsEdits = {
    {"(shift[t] - most) + (rest[t] - left)", "0.0f"},
    {": sum[t]", ": 0.0f"},
    {"if (shift[t] != -infinity()) {", "{"},
    {"at.query_head, head_stride", "at.key_head, head_stride"},
};

const std::vector<KernelEdit> pooledQueryEdits = {
    {" - row.sum;", ";"},
    {"(weight + row.rest)", "row.rest"},
    {"member ? p * d_p * natural : 0.0f", "member ? p * d_p : 0.0f"},
    {"member ? p * d_p * natural : 0.0f", "p * d_p * natural"},
};

const std::vector<KernelEdit> pooledKeyEdits = {
    {"of_v.add(p, d_o);", "of_v.add(change, d_o);"},
    {"power * d_p * natural", "power * d_p"},
    {"gr < (g + 1) * heads_per_key_head", "gr < g * heads_per_key_head + 1"},
    {"j / 32) >> (j % 32)", "j / 32) >> lane()"},
    {"marginal ? of.weight(j) : 0.0f", "0.0f"},
};

} // namespace

TEST_CASE("bugs in gradients of block means are found by running them", "[mutation]") {
  Case entry = raggedBackward("block_mean");
  entry.settings = {{"block_q", "16"}, {"block_k", "16"}};
  entry.parameters = {{"keep", 0.3}};
  requireFoundInBackward(entry, {{"gradient_mean_queries", meanQueryEdits},
                                 {"gradient_mean_keys", meanKeyEdits},
                                 {"gradient_queries", queryEdits},
                                 {"gradient_keys", keyEdits}});
}

TEST_CASE("bugs in gradients of block means by means of queries are found by running them", "[mutation]") {
  Case entry{.name = "edited",
             .spec = "block_mean",
             .settings = {{"block_q", "16"}, {"block_k", "16"}, {"pooled_queries", "true"}},
             .parameters = {{"keep", 0.3}},
             .shape = {.batch = 3, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 630, .headDim = 16},
             .dtype = DType::bf16,
             .queryLengths = {150, 80, 130},
             .keyLengths = {630, 100, 20},
             .poison = true};
  requireFoundInBackward(entry, {{"mean_rows_attend1", meanRowsEdits},
                                 {"gradient_queries_attend1", pooledQueryEdits},
                                 {"gradient_keys_attend1", pooledKeyEdits}});
  entry.given = Given::allMarginal; // so that maxima of tiles differ, and matter
  entry.scale = 4;
  requireFoundInBackward(entry, {{"attend1", attendMeansEdits}});
}

} // namespace tercet::test
