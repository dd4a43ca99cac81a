// Lists of rows of tokens that select blocks in smaller blocks than a list is for: the union of what they take, ascending, with a
// bit per row that takes the entry.
#pragma once

#include "tercet/dev/class_row.cuh"
#include "tercet/dev/number.cuh"
#include "tercet/dev/tile.cuh"

namespace tercet::dev {

/// Rows with a list, a bit each in the two words of an entry.
enum : int { listed_rows = 64 };

/// The lists of rows 64 t .. 64 t + 63 of head gr, t from WARPS part on, a warp each. bits, cut_bits [gr][query blocks][words of 64]:
/// critical blocks, and those of them of which a mask forbids some pairs. lists [gr][lists][key blocks], counts [gr][lists]; takers:
/// two words per entry of a list.
template <int WARPS, int BLOCK_Q, int BLOCK_K>
TERCET_DEVICE void row_lists(index part, index gr, index rows, index keys, const i32 *bits, const i32 *cut_bits,
                             i32 *lists, i32 *counts, i32 *takers) {
  const index of_head = ceil_div(rows, listed_rows), number = part * WARPS + warp();
  if (number >= of_head)
    return;
  const index key_blocks = ceil_div(keys, BLOCK_K), query_blocks = ceil_div(rows, BLOCK_Q);
  const index words = 2 * ceil_div(key_blocks, 64), line = gr * of_head + number;
  index listed = 0;
  for (index first = 0; first < key_blocks; first += 32) {
    u32 taken[2] = {}, cut = 0; // by lane: the rows that take key block first + lane, the key blocks cut in some row
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const index row = listed_rows * number + 32 * half + lane();
      const index at = (gr * query_blocks + row / BLOCK_Q) * words + first / 32;
      const u32 own = row < rows ? static_cast<u32>(bits[at]) : 0;
      cut |= row < rows ? static_cast<u32>(cut_bits[at]) : 0;
#pragma unroll
      for (int j = 0; j < 32; ++j) {
        const u32 all = __ballot_sync(whole_warp, (own >> j & 1) != 0);
        taken[half] = lane() == j ? all : taken[half];
      }
    }
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
      cut |= __shfl_xor_sync(whole_warp, cut, distance);
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

} // namespace tercet::dev
