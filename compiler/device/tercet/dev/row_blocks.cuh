// What the blocks of a row are before any score: empty, forbidden, forced or candidates, by lengths, by the rule bytes
// that the kernel block_rules writes, and by the selection's own rules (docs/spec.md#select).
#pragma once

#include "tercet/dev/group.cuh"
#include "tercet/dev/rank.cuh"

namespace tercet::dev {

/// Bits of a rule byte; rules [gr][query blocks][key blocks].
enum : u32 { rule_empty = 1, rule_partial = 2, rule_forced = 4, rule_forbidden = 8 };

/// The rule bytes of a row: of one head, or of several heads that are classified together, `stride` bytes apart. There a
/// block is empty where it is so for every head, and the other bits come from heads for which it is not.
struct RowRules {
  const i8 *base;
  index stride;
  int heads;

  TERCET_DEVICE u32 operator[](int j) const {
    u32 all = rule_empty;
    for (int r = 0; r < heads; ++r)
      if (const u32 rule = base[r * stride + j]; (rule & rule_empty) == 0)
        all = (all & ~rule_empty) | rule;
    return all;
  }
};

/// Key blocks below `sink` and from diagonal_begin to diagonal_end are forced, and those that are less alike than `guard`;
/// with `all_forced` every one.
template <bool RULES, bool GUARD> struct RowBlocks {
  int live, sink, diagonal_begin, diagonal_end;
  RowRules rules;
  const float *alike;
  float guard;
  bool all_forced;

  /// The key of a block that is not ranked; first_rank for a candidate.
  TERCET_DEVICE u32 key(int j) const {
    if (j >= live)
      return empty_key;
    const u32 rule = RULES ? rules[j] : 0;
    if ((rule & rule_empty) != 0)
      return empty_key;
    if ((rule & rule_partial) != 0)
      return partial_key;
    if ((rule & rule_forced) != 0 || j < sink || (j >= diagonal_begin && j < diagonal_end) ||
        (GUARD && (all_forced || alike[j] < guard)))
      return forced_key;
    return (rule & rule_forbidden) != 0 ? forbidden_key : first_rank;
  }
};

/// The rows of blocks of head gr.
template <int BLOCK_Q, int BLOCK_K> struct HeadRows {
  GroupHead head;
  index gr, g, query_blocks, key_blocks, live_rows, live_keys;

  TERCET_DEVICE HeadRows(index gr, const i32 *query_lengths, const i32 *key_lengths, index key_heads,
                         index heads_per_key_head, index rows, index keys, index first_pair)
      : head(group_head(gr, first_pair, key_heads, heads_per_key_head)), gr(gr),
        g(static_cast<u32>(gr) / static_cast<u32>(heads_per_key_head)), query_blocks(ceil_div(rows, BLOCK_Q)),
        key_blocks(ceil_div(keys, BLOCK_K)), live_rows(live_tokens(query_lengths, head.batch, rows)),
        live_keys(live_tokens(key_lengths, head.batch, keys)) {}

  /// Where a row stands among those of all heads.
  TERCET_DEVICE index line(index row) const { return gr * query_blocks + row; }
  /// How many blocks of a row hold tokens.
  TERCET_DEVICE index live_blocks(index row) const {
    return row * BLOCK_Q < live_rows ? ceil_div(live_keys, BLOCK_K) : 0;
  }
};

/// What decides about blocks besides lengths and scores. rules: of head 0, or null without RULES; alike_q [gr][query blocks]
/// and alike_k [g][key blocks] with GUARD.
struct BlockFacts {
  index sink;
  const i8 *rules;
  const float *alike_q, *alike_k;
  float guard;
};

/// The blocks of a row of one head, or with `heads` > 1 of the heads that share a key head, of which `of` is the first.
template <bool DIAGONAL, bool RULES, bool GUARD, int BLOCK_Q, int BLOCK_K>
TERCET_DEVICE RowBlocks<RULES, GUARD> blocks_of_row(const HeadRows<BLOCK_Q, BLOCK_K> &of, index row,
                                                    const BlockFacts &facts, int heads) {
  RowBlocks<RULES, GUARD> blocks = {};
  blocks.live = static_cast<int>(of.live_blocks(row));
  blocks.sink = static_cast<int>(smaller(larger(facts.sink, 0), blocks.live));
  if (DIAGONAL) {
    const index begin = row * BLOCK_Q, end = smaller(smaller(begin + BLOCK_Q, of.live_rows), of.live_keys);
    blocks.diagonal_begin = static_cast<int>(begin / BLOCK_K);
    blocks.diagonal_end = begin < end ? static_cast<int>((end - 1) / BLOCK_K + 1) : blocks.diagonal_begin;
  }
  if (RULES)
    blocks.rules = {facts.rules + of.line(row) * of.key_blocks, of.query_blocks * of.key_blocks, heads};
  if (GUARD) {
    for (int r = 0; r < heads; ++r)
      blocks.all_forced |= facts.alike_q[of.line(row) + r * of.query_blocks] < facts.guard;
    blocks.alike = facts.alike_k + of.g * of.key_blocks;
    blocks.guard = facts.guard;
  }
  return blocks;
}

} // namespace tercet::dev
