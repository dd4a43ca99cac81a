// Bugs put one by one into the kernels of gradients of tables, each found by running the backward with it.
#include "gpu/EditedBackward.h"

#include <catch2/catch.hpp>

namespace tercet::test {
namespace {

/// Distances clamped at both ends, in copies of warps.
const std::vector<KernelEdit> copyEdits = {
    {"last = size1 - Int(1)", "last = size1"},
    {"low = larger(value_2, Int(0))", "low = value_2"},
    {"copy_of_strip = copy * entries", "copy_of_strip = 0"},
    {"first_strip = member * strips", "first_strip = 0"},
    {"of_strip = first_block + turn", "of_strip = turn"},
    {"copy < COPIES", "copy < 1"},
    {"entry < entries; entry += 32", "entry < 1; entry += 32"},
    {"rest &= __ballot_sync(whole_warp, rank % 2 == 0)", "rest = 0"},
    {"value += rest != 0 ? next : 0.0f", "value += next"},
    {"peers & ~(lanes_before() | 1u << lane())", "peers & ~(1u << lane())"},
    {"if (counts && (peers & lanes_before()) == 0)", "if (counts)"},
    {"entries[at] += sum", "entries[at] = sum"},
    {"r < live && values.at[i] != 0", "values.at[i] != 0", "what rows beyond the length give is 0"},
    {"r < live && values.at[i] != 0", "r < live", "adding 0 changes nothing"},
};

const std::vector<KernelEdit> copySumEdits = {
    {"share_of_pair = remainder(head, heads_per_key_head)", "share_of_pair = 0"},
    {"first_member = group * heads_per_key_head", "first_member = group"},
    {"item = first_item + lane_of_warp", "item = first_item"},
    {"of_axis = along1 * 1", "of_axis = 0"},
    {"line = first_line + row", "line = first_line"},
    {"const float total = warp_add(sum)", "const float total = sum"},
    {"count = end_of_all - first", "count = heads - first", "heads that read other entries are asked, and say so"},
};

const std::vector<KernelEdit> centreEdits = {
    {"__fadd_rn(d, more)", "more"},
    {"centred_at = member * padded_queries", "centred_at = 0"},
    {"reduce_add(d_s)", "reduce_add(p)"},
};

/// Entries that queries own.
const std::vector<KernelEdit> ownedEdits = {
    {"block_of_turn = is_owned ? block : of_strip", "block_of_turn = of_strip"},
    {"member_2 = is_owned ? turn : member", "member_2 = member"},
    {"takes_head = takes_head_number == owner_head", "takes_head = true"},
    {"takes_batch = takes_batch_number == owner_batch", "takes_batch = true"},
    {"r * stride + number_of(", "number_of("},
    {"chosen3 = is_owned ? to_stride3 : 1", "chosen3 = 2"},
};

/// A key's sums, and those of a table by key-value head.
const std::vector<KernelEdit> keyEdits = {
    {"first_share = member_of_share * keys", "first_share = 0"},
    {"times_slope = g * y", "times_slope = g"},
    {"table_sums = shares_now", "table_sums = more"},
    {"reduce_add(of_table)", "reduce_add(d_s)"},
};

const std::vector<KernelEdit> keySumEdits = {
    {"is_live = row < live_keys", "is_live = true"},
    {"is_read_2 = is_entry(value_2, entries1, along1)", "is_read_2 = true"},
    {"row = row_number + first_2", "row = row_number"},
    {"batch = rest_of_item_2 + first", "batch = rest_of_item_2"},
    {"clamped(i, {size, 1}) == entry", "true"},
    {"counts ? shares[at] : 0.0f", "shares[at]"},
};

const std::vector<KernelEdit> rowEdits = {
    {"first_share = member * queries", "first_share = 0"},
    {"reduce_add(of_table)", "reduce_add(d_s)"},
    {"table_sums = shares_now_2", "table_sums = more_2"},
};

const std::vector<KernelEdit> featureEdits = {
    {"output.row(kept_row)[col]", "output.row(0)[col]"},
    {"features_at = share_at * features", "features_at = share_at"},
    {"times_derivative = product * ", "times_derivative = "},
    {"first_kept = member * ", "first_kept = 0 * "},
};

const std::vector<KernelEdit> gateRowEdits = {
    {"kept_row = quotient(row, 32)", "kept_row = row"},
    {"const float all = warp_add(sum)", "const float all = sum"},
    {"first_share = member * tokens", "first_share = 0"},
    {"first_col = chunk * 32", "first_col = 0", "there is one part of columns"},
};

const std::vector<KernelEdit> weightEdits = {
    {"sums[worker] = own", "sums[0] = own"},
    {"total += sums[number]", "total = sums[number]"},
    {"at >= smaller(left, LENGTH)", "at >= LENGTH"},
    {"pool += THREADS / 32", "pool += 1"},
};

const std::vector<KernelEdit> weightSumEdits = {
    {"smaller(remainder(pair, key_heads), heads - 1) == head", "true"},
    {"entry == entries - 1 ? LENGTH : smaller(entry + 1, LENGTH)", "LENGTH"},
    {"total += shares[pair", "total = shares[pair"},
};

} // namespace

TEST_CASE("bugs in gradients of tables by distance are found by running them", "[mutation]") {
  requireFoundInBackward(
      raggedBackward("relative_bias", DType::bf16),
      {{"gradient_attend_dbias0", copyEdits}, {"sum_dbias", copySumEdits}, {"centre_attend", centreEdits}});
}

TEST_CASE("bugs in gradients of tables by pair, by key and by query are found by running them", "[mutation]") {
  requireFoundInBackward(raggedBackward("bias", DType::bf16), {{"gradient_attend_dbias0", ownedEdits}});
  requireFoundInBackward(
      raggedBackward("scaled_scores", DType::bf16),
      {{"gradient_keys_dgate0", keyEdits}, {"sum_dgate", keySumEdits}, {"gradient_queries_dshift1", rowEdits}});
}

TEST_CASE("bugs in gradients of gates and of weights of pools are found by running them", "[mutation]") {
  requireFoundInBackward(raggedBackward("gated_tables", DType::bf16),
                         {{"gate_attend_dchannels0", featureEdits}, {"gate_attend1_dshares0", gateRowEdits}});
  requireFoundInBackward(raggedBackward("weighted_pools", DType::f32),
                         {{"attend_dk_weights", weightEdits}, {"sum_attend_dk_weights", weightSumEdits}});
}

} // namespace tercet::test
