// What a row of block classes becomes, by one warp, 32 key blocks at a time in ascending order: the sorted list of its
// critical blocks, bits of its linear set, and the class map.
#pragma once

#include "tercet/dev/group.cuh"
#include "tercet/dev/thread.cuh"

namespace tercet::dev {

/// Scope of the linear branch: none, class 0, or everything that is not critical.
enum : int { no_bits = 0, marginal_bits = 1, non_critical_bits = 2 };

/// Where rows go. lists [gr][query blocks][key blocks], counts [gr][query blocks], bits [gr][query blocks][words of 64];
/// map: null, or element (b, h, i, j) at b * map_batch + h * map_head + i * map_row + j.
struct ClassOutputs {
  i32 *lists, *counts, *bits;
  i8 *map;
  index map_batch, map_head, map_row;
};

template <int BITS> struct ClassRow {
  i32 *list, *count;
  u32 *bits;
  i8 *map;
  index key_blocks, listed = 0;

  TERCET_DEVICE ClassRow(const ClassOutputs &to, const GroupHead &head, index gr, index row, index query_blocks,
                         index key_blocks)
      : list(to.lists + (gr * query_blocks + row) * key_blocks), count(to.counts + gr * query_blocks + row),
        bits(BITS == no_bits
                 ? nullptr
                 : reinterpret_cast<u32 *>(to.bits) + (gr * query_blocks + row) * 2 * ceil_div(key_blocks, 64)),
        map(to.map == nullptr ? nullptr
                              : to.map + head.batch * to.map_batch + head.query_head * to.map_head + row * to.map_row),
        key_blocks(key_blocks) {}

  /// Classes of blocks first .. first + 31, one per lane. live: the block and the row have tokens; else its class is -1.
  TERCET_DEVICE void put(index first, int block_class, bool live) {
    const index j = first + lane();
    const int value = live ? block_class : -1;
    const u32 critical = __ballot_sync(whole_warp, value == 1);
    if (value == 1)
      list[listed + __popc(critical & lanes_before())] = static_cast<i32>(j);
    listed += __popc(critical);
    if (BITS != no_bits) {
      const u32 set = __ballot_sync(whole_warp, live && (value == 0 || (BITS == non_critical_bits && value != 1)));
      if (lane() == 0)
        bits[first / 32] = set;
    }
    if (map != nullptr && j < key_blocks)
      map[j] = static_cast<i8>(value);
  }

  /// After the last block.
  TERCET_DEVICE void finish() {
    if (lane() == 0) {
      *count = static_cast<i32>(listed);
      if (const index words = ceil_div(key_blocks, 32); BITS != no_bits && words % 2 != 0)
        bits[words] = 0;
    }
  }
};

/// Classes handed in, one warp per query block: any broadcast over batch and head (stride 0).
template <int BITS, int BLOCK_Q, int BLOCK_K, int ROWS>
TERCET_DEVICE void given_classes(index part, index gr, const i8 *given, index given_batch, index given_head,
                                 index given_row, index given_col, const i32 *query_lengths, const i32 *key_lengths,
                                 index key_heads, index heads_per_key_head, index rows, index keys, index first_pair,
                                 i32 *lists, i32 *counts, i32 *bits, i8 *map, index map_batch, index map_head,
                                 index map_row) {
  const GroupHead head = group_head(gr, first_pair, key_heads, heads_per_key_head);
  const index query_blocks = ceil_div(rows, BLOCK_Q), key_blocks = ceil_div(keys, BLOCK_K);
  const index live_rows = ceil_div(live_tokens(query_lengths, head.batch, rows), BLOCK_Q);
  const index live_keys = ceil_div(live_tokens(key_lengths, head.batch, keys), BLOCK_K);
  const index row = part * ROWS + warp();
  if (row >= query_blocks)
    return;
  const ClassOutputs to = {lists, counts, bits, map, map_batch, map_head, map_row};
  ClassRow<BITS> out(to, head, gr, row, query_blocks, key_blocks);
  const i8 *from = given + head.batch * given_batch + head.query_head * given_head + row * given_row;
  for (index first = 0; first < key_blocks; first += 32) {
    const index j = first + lane();
    const bool live = row < live_rows && j < live_keys;
    out.put(first, live ? from[j * given_col] : -1, live);
  }
  out.finish();
}

} // namespace tercet::dev
