// Lists of rows of tokens that select blocks in smaller blocks than a list is for: the union of what they take, ascending, with a
// bit per row that takes the entry.
#pragma once

#include "tercet/dev/class_row.cuh"
#include "tercet/dev/number.cuh"
#include "tercet/dev/tile.cuh"

namespace tercet::dev {

/// Rows with a list, a bit each in the two words of an entry.
enum : int { listed_rows = 64 };

/// A word of the bits of 32 rows, a row per lane; 0 behind the last. bits [gr][query blocks][words].
template <int BLOCK_Q> struct BitsOfRows {
  index gr, first, rows, word, words;

  TERCET_DEVICE u32 own(const i32 *bits) const {
    const index row = first + lane(), blocks = ceil_div(rows, BLOCK_Q);
    return row < rows ? static_cast<u32>(bits[(gr * blocks + row / BLOCK_Q) * words + word]) : 0;
  }
};

/// Of 32 words, one per lane: lane j gets bit j of each, that of lane i as bit i.
TERCET_DEVICE u32 rows_with_bits(u32 own) {
  u32 rows = 0;
#pragma unroll
  for (int j = 0; j < 32; ++j) {
    const u32 all = __ballot_sync(whole_warp, (own >> j & 1) != 0);
    rows = lane() == j ? all : rows;
  }
  return rows;
}

/// The bits of all lanes.
TERCET_DEVICE u32 bits_of_warp(u32 own) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2)
    own |= __shfl_xor_sync(whole_warp, own, distance);
  return own;
}

/// The lists of rows 64 t .. 64 t + 63 of head gr, t from WARPS part on, a warp each. bits, cut_bits [gr][query blocks][words of 64]:
/// critical blocks, and those of them of which a mask forbids some pairs. lists [gr][lists][key blocks], counts [gr][lists]; takers:
/// two words per entry of a list.
template <int WARPS, int BLOCK_Q, int BLOCK_K>
TERCET_DEVICE void row_lists(index part, index gr, index rows, index keys, const i32 *bits, const i32 *cut_bits,
                             i32 *lists, i32 *counts, i32 *takers) {
  const index of_head = ceil_div(rows, listed_rows), number = part * WARPS + warp();
  if (number >= of_head)
    return;
  const index key_blocks = ceil_div(keys, BLOCK_K), words = 2 * ceil_div(key_blocks, 64), line = gr * of_head + number;
  index listed = 0;
  for (index first = 0; first < key_blocks; first += 32) {
    u32 taken[2], cut = 0; // by lane: the rows that take key block first + lane; the key blocks cut in some row
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const BitsOfRows<BLOCK_Q> of = {gr, listed_rows * number + 32 * half, rows, first / 32, words};
      taken[half] = rows_with_bits(of.own(bits));
      cut |= of.own(cut_bits);
    }
    cut = bits_of_warp(cut);
    const bool any = (taken[0] | taken[1]) != 0;
    const u32 entries = __ballot_sync(whole_warp, any);
    if (any) {
      const index place = line * key_blocks + listed + __popc(entries & lanes_before());
      lists[place] =
          static_cast<i32>(static_cast<u32>(first + lane()) | ((cut >> lane() & 1) != 0 ? partial_entry : 0));
      takers[2 * place] = static_cast<i32>(taken[0]);
      takers[2 * place + 1] = static_cast<i32>(taken[1]);
    }
    listed += __popc(entries);
  }
  if (lane() == 0)
    counts[line] = static_cast<i32>(listed);
}

/// The same lists by key block: of its rows in groups of 64. A warp for 32 key blocks from 32 (WARPS part + warp) on, which grow side by
/// side. lists [gr][key blocks][groups], counts [gr][key blocks]; takers: two words per entry.
template <int WARPS, int BLOCK_Q, int BLOCK_K>
TERCET_DEVICE void column_lists(index part, index gr, index rows, index keys, const i32 *bits, const i32 *cut_bits,
                                i32 *lists, i32 *counts, i32 *takers) {
  const index groups = ceil_div(rows, listed_rows), key_blocks = ceil_div(keys, BLOCK_K);
  const index word = part * WARPS + warp(), block = 32 * word + lane(), words = 2 * ceil_div(key_blocks, 64);
  if (32 * word >= key_blocks)
    return;
  const index line = gr * key_blocks + block;
  index listed = 0;
  for (index group = 0; group < groups; ++group) {
    u32 taken[2], cut = 0;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const BitsOfRows<BLOCK_Q> of = {gr, listed_rows * group + 32 * half, rows, word, words};
      taken[half] = rows_with_bits(of.own(bits));
      cut |= of.own(cut_bits);
    }
    cut = bits_of_warp(cut);
    if (block < key_blocks && (taken[0] | taken[1]) != 0) {
      const index place = line * groups + listed++;
      lists[place] = static_cast<i32>(static_cast<u32>(group) | ((cut >> lane() & 1) != 0 ? partial_entry : 0));
      takers[2 * place] = static_cast<i32>(taken[0]);
      takers[2 * place + 1] = static_cast<i32>(taken[1]);
    }
  }
  if (block < key_blocks)
    counts[line] = static_cast<i32>(listed);
}

/// -infinity in the rows of a tile from `row` on that do not take its keys; takers: the entry's word of these rows.
template <int ROWS, int COLS>
TERCET_DEVICE Tile<ROWS, COLS> rows_that_take(Tile<ROWS, COLS> tile, index takers, index row) {
  static_assert(ROWS == 16, "rows of a warp lie in one word");
  const u32 own = static_cast<u32>(takers) >> row % 32;
  if ((own & 0xffff) == 0xffff)
    return tile;
#pragma unroll
  for (int i = 0; i < tile.size; ++i)
    tile.at[i] = (own >> (tile.first_row() + 8 * tile.row_of(i)) & 1) != 0 ? tile.at[i] : -infinity();
  return tile;
}

/// -infinity in the columns of a tile from `column` on that do not take its rows; takers[at]: the two words of 64 columns that lie together.
template <int ROWS, int COLS>
TERCET_DEVICE Tile<ROWS, COLS> columns_that_take(Tile<ROWS, COLS> tile, const i32 *takers, index at, index column) {
  static_assert(listed_rows % COLS == 0, "columns lie in one entry");
  const u64 both = static_cast<u64>(static_cast<u32>(takers[at + 1])) << 32 | static_cast<u32>(takers[at]);
  const u64 own = both >> column % listed_rows, all = COLS == 64 ? ~0ull : (1ull << COLS % 64) - 1;
  if ((own & all) == all)
    return tile;
#pragma unroll
  for (int i = 0; i < tile.size; ++i)
    tile.at[i] = (own >> tile.col_of(i) & 1) != 0 ? tile.at[i] : -infinity();
  return tile;
}

} // namespace tercet::dev
