// Bugs put one by one into the kernels of gradients of branches, each found by running the backward with it.
#include "gpu/EditedBackward.h"

#include <catch2/catch.hpp>

namespace tercet::test {
namespace {

const std::vector<KernelEdit> gateEdits = {
    {"from.row(row)[col]) * factor", "from.row(row)[col])"},
    {"row < live ? to_float(", "true ? to_float("},
    {"to + (gr * rows + row) * COLS + col", "to + row * COLS + col"},
};

const std::vector<KernelEdit> poolEdits = {
    {"row < smaller((pool + 1) * POOL, rows)", "row < (pool + 1) * POOL"},
    {"sum += gated[", "sum = gated["},
    {"to + (gr * pools + pool) * COLS + col", "to + pool * COLS + col"},
    {"value -= to_float(to[p * plane])", "value -= 0.0f"},
};

const std::vector<KernelEdit> spreadEdits = {
    {": 1.0f / static_cast<float>(static_cast<int>(in_pool))", ": 1.0f"},
    {"live - pool * STRIDE", "count - pool * STRIDE"},
    {"quotient(token - LENGTH, STRIDE) + 1", "quotient(token - LENGTH, STRIDE)"},
    {"(token < live)", "(true)", "the branch behind it writes 0 there"},
    {"tokens + (gr * count + token) * COLS + col", "tokens + token * COLS + col"},
};

const std::vector<KernelEdit> weightedEdits = {
    {"*to + sum", "sum"},
    {"weights.of(token - pool * STRIDE)", "weights.of(token)"},
    {"table + smaller(head, heads - 1) * head_stride", "table"},
    {"quotient(token - LENGTH, STRIDE) + 1", "quotient(token - LENGTH, STRIDE)"},
};

const std::vector<KernelEdit> rowEdits = {
    {"const index head = OWN ? gr : at.query_head", "const index head = 0"},
    {"OWN_GRADIENT ? gr : at.query_head", "0"},
    {"of + plane * gradient_plane", "of"},
};

} // namespace

TEST_CASE("bugs in gradients of branches are found by running them", "[mutation]") {
  requireFoundInBackward(raggedBackward("pooled_queries", DType::bf16), {{"gate_attend1", gateEdits},
                                                                         {"pool_attend1", poolEdits},
                                                                         {"gradient_rows_attend1", rowEdits},
                                                                         {"spread_attend1_dv", spreadEdits}});
}

TEST_CASE("bugs in gradients of weighted pools are found by running them", "[mutation]") {
  requireFoundInBackward(raggedBackward("weighted_pools", DType::f32), {{"spread_attend_dv", weightedEdits}});
}

} // namespace tercet::test
