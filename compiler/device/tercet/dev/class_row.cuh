// What a row of block classes becomes, by one warp, 32 key blocks at a time in ascending order: the sorted list of its
// critical blocks, bits of its linear set, and the class map.
#pragma once

#include "tercet/dev/row_blocks.cuh"

namespace tercet::dev {

/// Scope of the linear branch: none, class 0, everything that is not critical, or every full block.
enum : int { no_bits = 0, marginal_bits = 1, non_critical_bits = 2, full_bits = 3 };

/// The bit of a list's entry that says that a mask forbids some pairs of the block.
enum : u32 { partial_entry = 0x80000000u };

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

  template <class Range>
  TERCET_DEVICE ClassRow(const ClassOutputs &to, const Range &range, index row)
      : list(to.lists + range.line(row) * range.key_blocks), count(to.counts + range.line(row)),
        bits(BITS == no_bits ? nullptr
                             : reinterpret_cast<u32 *>(to.bits) + range.line(row) * 2 * ceil_div(range.key_blocks, 64)),
        map(to.map == nullptr
                ? nullptr
                : to.map + range.head.batch * to.map_batch + range.head.query_head * to.map_head + row * to.map_row),
        key_blocks(range.key_blocks) {}

  /// Classes of blocks first .. first + 31, one per lane. live: the block is not empty; else its class is -1. full: a mask
  /// forbids none of its pairs; else it is in no linear set.
  TERCET_DEVICE void put(index first, int block_class, bool live, bool full) {
    const index j = first + lane();
    const int value = live ? block_class : -1;
    const u32 critical = __ballot_sync(whole_warp, value == 1);
    if (value == 1)
      list[listed + __popc(critical & lanes_before())] =
          static_cast<i32>(static_cast<u32>(j) | (full ? 0 : partial_entry));
    listed += __popc(critical);
    if (BITS != no_bits) {
      const bool member = BITS == full_bits || value == 0 || (BITS == non_critical_bits && value != 1);
      const u32 set = __ballot_sync(whole_warp, live && full && member);
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

} // namespace tercet::dev
