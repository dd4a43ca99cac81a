// Classes without scores: handed in, or by a pattern. Lengths and rule bytes decide before them.
#pragma once

#include "tercet/dev/class_row.cuh"

namespace tercet::dev {

/// One warp per query block; `given`: any broadcast over batch and head (stride 0), or null for a pattern, which is critical
/// where a rule forces a block and marginal elsewhere. rules: null without a mask and a pattern; rules_first: the pair of
/// the group's first, counted from the first whose rules are there.
template <int BITS, int BLOCK_Q, int BLOCK_K, int ROWS>
TERCET_DEVICE void
given_classes(index part, index gr, const i8 *given, index given_batch, index given_head, index given_row,
              index given_col, const i8 *rules, index rules_first, const i32 *query_lengths, const i32 *key_lengths,
              index key_heads, index heads_per_key_head, index rows, index keys, index first_pair, i32 *lists,
              i32 *counts, i32 *bits, i32 *mean_bits, i8 *map, index map_batch, index map_head, index map_row) {
  const HeadRows<BLOCK_Q, BLOCK_K> of(gr, query_lengths, key_lengths, key_heads, heads_per_key_head, rows, keys,
                                      first_pair);
  const index row = part * ROWS + warp();
  if (row >= of.query_blocks)
    return;
  const ClassOutputs to = {lists, counts, bits, mean_bits, map, map_batch, map_head, map_row};
  ClassRow<BITS> out(to, of, row);
  const i8 *from = given + of.head.batch * given_batch + of.head.query_head * given_head + row * given_row;
  const index line = rules_first * heads_per_key_head * of.query_blocks + of.line(row);
  for (index first = 0; first < of.key_blocks; first += 32) {
    const index j = first + lane();
    const bool inside = j < of.live_blocks(row);
    const u32 rule = !inside            ? static_cast<u32>(rule_empty)
                     : rules == nullptr ? 0u
                                        : static_cast<u32>(rules[line * of.key_blocks + j]);
    const bool live = (rule & rule_empty) == 0, full = (rule & rule_partial) == 0;
    int block_class = (rule & rule_forced) != 0;
    if (given != nullptr && live)
      block_class = from[j * given_col];
    out.put(first, !full && block_class >= 0 ? 1 : block_class, live, full);
  }
  out.finish();
}

} // namespace tercet::dev
