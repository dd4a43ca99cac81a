// Bugs in the kernels that say what masks and block sets do to blocks, and in attention to listed blocks that a mask cuts, one
// at a time: the simulator must find all but those that change nothing. Masks without classes are edited in
// unit/simulator/MaskedDenseTest.cpp.
#include "gpu/EditedPlan.h"

#include <catch2/catch.hpp>

using namespace tercet;
using namespace tercet::test;

namespace {

/// Bounds of positions alone, which are exact: no pair is looked at.
const std::vector<KernelEdit> causalEdits = {
    {"col_end = smaller(next_col, live_keys)", "col_end = next_col"},
    {"last_row = row_end - 1", "last_row = row"},
    {"last_col = col_end - 1", "last_col = col"},
    {"may_allow = live & value_14", "may_allow = live", "blocks are looked at pair by pair for nothing"},
    {"may_allow = live & value_14", "may_allow = live & value_13"},
    {"not_all = value_13 ^ true", "not_all = false"},
    {"= static_cast<Int>(live_keys);", "= static_cast<Int>(keys);"},
    {"= static_cast<Int>(live_rows);", "= static_cast<Int>(rows);"},
    {"allows ? 0 : rule_empty", "0"},
    {"allows && forbids ? rule_partial : 0", "0"},
    {"rules_row = rules_of_head + query_block", "rules_row = query_block"},
    {"first_key_block = part * 128", "first_key_block = part * 256"},
};

const std::vector<KernelEdit> setEdits = {
    {"key_block_index = static_cast<Int>(key_block)", "key_block_index = static_cast<Int>(query_block)"},
    {"a.value % b.value", "a.value / b.value"},
    {"forced ? rule_forced : 0", "0"},
    {"forbidden ? rule_forbidden : 0", "0"},
    {"true, false, value, value_4", "true, false, value_4, value"},
};

/// Bounds by ranges of a table, which are not exact, and the pairs of blocks that they leave open.
const std::vector<KernelEdit> readEdits = {
    {"row_end = smaller(next_row, live_rows)", "row_end = next_row"},
    {"__ballot_sync(whole_warp, guess.allows && guess.forbids)", "__ballot_sync(whole_warp, guess.allows)",
     "what is sure is looked at again"},
    {"open &= open - 1", "open = 0"},
    {"i < last_row && !(", "i < last_row - 1 && !("},
    {"found.allows && found.forbids); ++i", "found.allows || found.forbids); ++i"},
    {"first_col + static_cast<int>(lane())", "static_cast<int>(lane())"},
    {"j < last_col; j += 32", "j < last_col - 1; j += 32"},
    {"mine.allows || allows, mine.forbids || !allows", "mine.allows || allows, mine.forbids || allows"},
    {"found.allows || __any_sync(whole_warp, mine.allows)", "mine.allows"},
    {"if (static_cast<int>(lane()) == thread)\n      guess = found;", "guess = found;"},
    {"range_row = rows_before + entry", "range_row = rows_before"},
    {"= least_4 <= largest_2", "= least_4 <= least_2"},
    {"begin = from / size, end = to / size", "begin = from / size + 1, end = to / size"},
    {"end - begin < 8", "end - begin < 0", "no range is known, and pairs are looked at"},
};

const std::vector<KernelEdit> rangeEdits = {
    {"row * ranges_of(entries);", "0;"},
    {"half < 2; ++half", "half < 1; ++half"},
    {"table + offset + at * stride", "table + at * stride"},
    {"of_block = warp_join(of_block);", ""},
    {"a.least < b.least ? a.least : b.least", "a.least"},
    {"a.largest > b.largest ? a.largest : b.largest", "b.largest"},
    {"entry_offset = entry * segment_stride0", "entry_offset = 0"},
};

const std::vector<KernelEdit> attendEdits = {
    {"key_block & 2147483647", "key_block"},
    {"keys_key_block & 2147483647", "keys_key_block"},
    {"partial = key_block < 0", "partial = false"},
    {"partial = key_block < 0", "partial = true", "the mask forbids nothing in the other blocks"},
    {"allowed = of_allowed;", "allowed = scored;"},
    {"allowed = scored;", "allowed = scores;"},
    {"kept = value ? x : -infinity()", "kept = value ? x : 0.0f"},
    {"value = j_2 - i", "value = i - j_2"},
    {"}, scores, row, key_first);", "}, scores, block_row, 0);"},
    {"}, scored, row, key_first);", "}, scores, row, key_first);"},
    {"clamped(head_index, {slopes_size0, slopes_stride0})", "clamped(batch_index, {slopes_size0, slopes_stride0})"},
    {"clamped(batch_index, {segment_size0, segment_stride0})", "0"},
    {"static_cast<index>(static_cast<u32>(smaller(larger(i, Int(0)), last))) * axis.stride", "static_cast<index>(i)"},
    {"masked = mask_cols(allowed, keys_left)", "masked = allowed"},
    {"exponent = fmaf(s, log2_e, m)", "exponent = fmaf(s, 1.0f, m)"},
};

/// Three batch entries of two heads, with lengths that leave tails.
Case ragged(std::string spec) {
  return {.name = "edited",
          .spec = std::move(spec),
          .shape = {.batch = 3, .heads = 2, .headsKV = 1, .tokensQ = 65, .tokensK = 90, .headDim = 16},
          .queryLengths = {65, 35, 50},
          .keyLengths = {90, 33, 90},
          .poison = true};
}

/// More key blocks than a block of threads takes.
Case longRows(std::string spec) {
  return {.name = "edited", .spec = std::move(spec), .shape = {.tokensQ = 20, .tokensK = 2150, .headDim = 16}};
}

/// Segments of another length and with other numbers in every batch entry.
void mixSegments(PreparedCase &prepared) {
  const int64_t lengths[] = {90, 35, 49};
  for (auto &[name, tensor] : prepared.inputs.tensors)
    if (const Tensor &segments = tensor.view(); name == "segment")
      for (int64_t b = 0; b < segments.shape[0]; ++b)
        for (int64_t token = 0; token < segments.shape[1]; ++token)
          segments.set(static_cast<double>(token / lengths[b] * 3 % 7 + 100 * b), b, token);
}

} // namespace

TEST_CASE("bugs in what a mask does to blocks are found by running it", "[mutation]") {
  requireFound("block_rules", {ragged("causal_sla"), longRows("causal_sla")}, causalEdits);
  Case bands = ragged("document_bands");
  bands.parameters = {{"reach", 0}};
  requireFound("block_rules", {bands}, readEdits, mixSegments);
}

TEST_CASE("bugs in sets of blocks are found by running them", "[mutation]") {
  Case entry = ragged("guarded");
  entry.parameters = {{"guard", 0.045}}; // some blocks of random tokens are below
  requireFound("block_rules", {entry}, setEdits);
}

TEST_CASE("bugs in ranges of tables are found by running them", "[mutation]") {
  requireFound("segment_ranges1", {ragged("document_bands")}, rangeEdits, mixSegments);
}

TEST_CASE("bugs in attention to blocks that a mask cuts are found by running it", "[mutation]") {
  requireFound("attend", {ragged("document_bands")}, attendEdits, mixSegments);
}
