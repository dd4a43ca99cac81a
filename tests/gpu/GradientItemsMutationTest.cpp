// Bugs put one by one into items of lines of keys, parts of long ones and their sums, each found by running the backward with it.
#include "gpu/EditedBackward.h"

#include <catch2/catch.hpp>

namespace tercet::test {
namespace {

/// Keys that all queries see, of two pairs in two parts, of a third one, with few queries, whole.
Case sinks(const char *spec, int64_t tokens, int64_t headDim) {
  return {.name = "edited",
          .spec = spec,
          .shape = {.batch = 3, .heads = 2, .headsKV = 1, .tokensQ = tokens, .tokensK = tokens, .headDim = headDim},
          .dtype = DType::bf16,
          .queryLengths = {int32_t(tokens), int32_t(tokens - 50), 300}};
}

const std::vector<KernelEdit> stepEdits = {
    {"(pair * room + block / BLOCKS) * 4", "(block / BLOCKS) * 4"},
    {"part_at = part_entry + 1", "part_at = part_entry + 2"},
    {"last_end = is_last ? all_that_is_left : part_end", "last_end = all_that_is_left"},
    {"last_end = is_last ? all_that_is_left : part_end", "last_end = part_end",
     "the steps counted are those there are"},
    {"is_whole = slot < 0", "is_whole = slot <= 0"},
    {"kept_x_slot = first_slot_of_pair + slot_of_part", "kept_x_slot = slot_of_part"},
    {"kept_y_row = 0 + worker_row", "kept_y_row = 0"},
    {"begin = min(skipped, count);", "begin = 0;"},
    {"taken = min(count - begin, left);", "taken = count - begin;"},
    {"return all[begin + i];", "return all[i];"},
};

const std::vector<KernelEdit> sumEdits = {
    {"x_part_slot = first_slot_of_pair + slot_of_part", "x_part_slot = slot_of_part"},
    {"slot_of_part = first_slot + part", "slot_of_part = first_slot"},
    {"grad_x = x_with_part;", "grad_x = x_so_far;"},
    {"parts_at = parts_entry + 2", "parts_at = parts_entry + 3"},
};

const std::vector<KernelEdit> itemEdits = {
    {"own.parts > 1 ? slot + i : -1", "own.parts > 1 ? slot : -1"},
    {"place + i, line, i, own.parts", "place + i, line, 0, own.parts"},
    {"longest > own.longest || (longest == own.longest && before)", "longest > own.longest"},
    {"put_entry(sums, pair * spare + split,", "put_entry(sums, split,"},
};

const std::vector<KernelEdit> listEdits = {
    {"part_base = list_base + part_begin", "part_base = list_base"},
    {"part_count = part_end - part_begin", "part_count = count"},
    {"list_has_rows = row_of_list < live_keys", "list_has_rows = true"},
    {"stored_row = first_stored_row + worker_row", "stored_row = first_stored_row"},
};

const std::vector<KernelEdit> sumsOfSuperRowsEdits = {
    {"row_in_line = share_of_line * block_rows", "row_in_line = 0"},
    {"x_part_row = row_in_line + worker_row", "x_part_row = worker_row"},
    {"(pair * room + block / BLOCKS) * 4", "(pair * room + block) * 4"},
};

} // namespace

TEST_CASE("bugs in parts of the columns that a mask leaves are found by running them", "[mutation][items]") {
  Case entry = sinks("streaming", 900, 16);
  entry.parameters = {{"sink", 4}, {"window", 10}};
  requireFoundInBackward(
      entry, {{"gradient_keys", stepEdits}, {"gradient_keys_sums", sumEdits}, {"gradient_keys_items", itemEdits}});
}

TEST_CASE("bugs in parts of lists by warpgroups are found by running them", "[mutation][items]") {
  Case entry = sinks("sparse_topk", 1100, 64);
  entry.settings = {{"sink", "1"}};
  entry.parameters = {{"keep", 0.02}};
  requireFoundInBackward(entry, {{"gradient_keys", listEdits}, {"gradient_keys_sums", sumsOfSuperRowsEdits}}, "sm_90a");
}

} // namespace tercet::test
