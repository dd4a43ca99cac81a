// Lists of query blocks by key block: the critical blocks of a class map, column by column.
#pragma once

#include "tercet/dev/class_row.cuh"
#include "tercet/dev/group.cuh"
#include "tercet/dev/thread.cuh"

namespace tercet::dev {

/// lists [gr][key blocks][query blocks], ascending, and counts [gr][key blocks]. A warp per key block. classes: any broadcast over
/// batch and head (stride 0); rules: null without a mask, which empties blocks or makes those that it cuts critical, as in
/// given_classes. Blocks without a live token are in no list.
template <int BLOCK_Q, int BLOCK_K, int ROWS>
TERCET_DEVICE void transposed_lists(index part, index gr, const i8 *classes, index batch_stride, index head_stride,
                                    index row_stride, index col_stride, const i8 *rules, const i32 *q_len,
                                    const i32 *k_len, index key_heads, index heads_per_key_head, index rows, index keys,
                                    index first_pair, i32 *lists, i32 *counts) {
  const GroupHead at = group_head(gr, first_pair, key_heads, heads_per_key_head);
  const index query_blocks = ceil_div(rows, BLOCK_Q), key_blocks = ceil_div(keys, BLOCK_K);
  const index j = part * ROWS + warp();
  if (j >= key_blocks)
    return;
  const i8 *column = classes + head_offset(at.batch, batch_stride, at.query_head, head_stride) + j * col_stride;
  const bool live = live_in_block<BLOCK_K>(live_tokens(k_len, at.batch, keys), j) > 0;
  const index live_blocks = live ? ceil_div(live_tokens(q_len, at.batch, rows), BLOCK_Q) : 0;
  const index line = gr * key_blocks + j;
  index listed = 0;
  for (index first = 0; first < live_blocks; first += 32) {
    const index i = first + lane();
    const bool inside = i < live_blocks;
    const u32 rule = !inside            ? static_cast<u32>(rule_empty)
                     : rules == nullptr ? 0u
                                        : static_cast<u32>(rules[(gr * query_blocks + i) * key_blocks + j]);
    const bool partial = (rule & rule_partial) != 0;
    const bool critical = (rule & rule_empty) == 0 && column[i * row_stride] >= (partial ? 0 : 1);
    const u32 all = __ballot_sync(whole_warp, critical);
    if (critical)
      lists[line * query_blocks + listed + __popc(all & lanes_before())] =
          static_cast<i32>(static_cast<u32>(i) | (partial ? partial_entry : 0));
    listed += __popc(all);
  }
  if (lane() == 0)
    counts[line] = static_cast<i32>(listed);
}

} // namespace tercet::dev
