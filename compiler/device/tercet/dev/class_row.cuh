// What a row of block classes becomes, by one warp, 32 key blocks at a time in ascending order: the sorted list of its
// critical blocks, bits of its linear set and of its block means, and the class map. Of rows that share a list (row_lists.cuh)
// bits of the critical blocks and of the partial ones among them instead.
#pragma once

#include "tercet/dev/row_blocks.cuh"

namespace tercet::dev {

/// Scope of the linear branch: none, class 0, everything that is not critical, every full block, or class -1.
enum : int { no_bits = 0, marginal_bits = 1, non_critical_bits = 2, full_bits = 3, negligible_bits = 4 };
/// Instead: critical blocks as `bits`, the partial ones among them as `mean_bits`, and no list.
enum : int { critical_bits = 5 };
/// Added to it: means stand for the blocks of class 0, whose bits are wanted, too.
enum : int { with_mean_bits = 8 };

/// The bit of a list's entry that says that a mask forbids some pairs of the block.
enum : u32 { partial_entry = 0x80000000u };

/// Where rows go. lists [gr][query blocks][key blocks], counts [gr][query blocks], bits and mean_bits [gr][query
/// blocks][words of 64]; map: null, or element (b, h, i, j) at b * map_batch + h * map_head + i * map_row + j.
struct ClassOutputs {
  i32 *lists, *counts, *bits, *mean_bits;
  i8 *map;
  index map_batch, map_head, map_row;
};

template <int BITS> struct ClassRow {
  static constexpr int set = BITS % with_mean_bits;
  static constexpr bool means = BITS >= with_mean_bits, listless = BITS == critical_bits;
  i32 *list, *count;
  u32 *bits, *mean_bits;
  i8 *map;
  index key_blocks, listed = 0;

  template <class Range>
  TERCET_DEVICE ClassRow(const ClassOutputs &to, const Range &range, index row)
      : list(to.lists + range.line(row) * range.key_blocks), count(to.counts + range.line(row)),
        bits(words(set != no_bits, to.bits, range, row)), mean_bits(words(means || listless, to.mean_bits, range, row)),
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
    if (!listless && value == 1)
      list[listed + __popc(critical & lanes_before())] =
          static_cast<i32>(static_cast<u32>(j) | (full ? 0 : partial_entry));
    listed += __popc(critical);
    const auto store = [&](u32 *to, bool member, bool whole = true) {
      const u32 word = __ballot_sync(whole_warp, live && full == whole && member);
      if (lane() == 0)
        to[first / 32] = word;
    };
    if (listless) {
      if (lane() == 0)
        bits[first / 32] = critical;
      store(mean_bits, value == 1, /*whole=*/false);
    } else if (set != no_bits)
      store(bits, set == full_bits         ? true
                  : set == negligible_bits ? value == -1
                                           : value == 0 || (set == non_critical_bits && value != 1));
    if (means)
      store(mean_bits, value == 0);
    if (map != nullptr && j < key_blocks)
      map[j] = static_cast<i8>(value);
  }

  /// After the last block.
  TERCET_DEVICE void finish() {
    if (lane() == 0) {
      if (!listless)
        *count = static_cast<i32>(listed);
      if (const index words = ceil_div(key_blocks, 32); words % 2 != 0) {
        if (set != no_bits)
          bits[words] = 0;
        if (means || listless)
          mean_bits[words] = 0;
      }
    }
  }

private:
  /// The words of a row; null where none are wanted.
  template <class Range> static TERCET_DEVICE u32 *words(bool wanted, i32 *bits, const Range &range, index row) {
    return wanted ? reinterpret_cast<u32 *>(bits) + range.line(row) * 2 * ceil_div(range.key_blocks, 64) : nullptr;
  }
};

} // namespace tercet::dev
