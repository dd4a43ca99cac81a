// Super rows: two adjacent query blocks that are attended together, each by a warpgroup of its own. Their list is the
// union of both lists, ascending, with one bit per query block that takes the entry.
#pragma once

#include "tercet/dev/thread.cuh"

namespace tercet::dev {

/// An entry: the key block above two bits, of which bit r is set where query block r of the pair takes it. 29 bits are
/// left for key blocks; box copies count keys in 31.
TERCET_DEVICE i32 super_entry(i32 block, u32 takers) { return block << 2 | static_cast<i32>(takers); }
TERCET_DEVICE index entry_block(index entry) { return entry >> 2; }
TERCET_DEVICE bool entry_takes(index entry, index worker) { return (entry >> worker & 1) != 0; }

/// How many elements of an ascending list are below `bound`.
TERCET_DEVICE index count_below(const i32 *list, index count, i32 bound) {
  index first = 0;
  while (count > 0) {
    const index half = count / 2;
    const bool below = list[first + half] < bound;
    first = below ? first + half + 1 : first;
    count = below ? count - half - 1 : half;
  }
  return first;
}

/// The super rows of query blocks ROWS part .. ROWS part + ROWS - 1 of head gr, from the lists and counts that the warps of this
/// block have just written; one warp per query block. lists [gr][query blocks][key blocks], counts [gr][query blocks];
/// super_lists [gr][super rows][key blocks], super_counts [gr][super rows].
///
/// An element's place in the union is how many elements of both lists are below it, those in both counted once: every
/// warp places the elements of its own list, and the first of the pair those in both.
template <int ROWS, int BLOCK_Q, int BLOCK_K>
TERCET_DEVICE void join_lists(index part, index gr, index rows, index keys, const i32 *lists, const i32 *counts,
                              i32 *super_lists, i32 *super_counts) {
  static_assert(ROWS % 2 == 0, "the query blocks of a super row are listed by one block of threads");
  __syncthreads();
  const index query_blocks = ceil_div(rows, BLOCK_Q), key_blocks = ceil_div(keys, BLOCK_K);
  const index row = part * ROWS + warp(), twin = row ^ 1, member = row % 2;
  if (row - member >= query_blocks)
    return;
  const index place = gr * ceil_div(query_blocks, 2) + row / 2;
  const i32 *own = lists + (gr * query_blocks + row) * key_blocks;
  const i32 *other = lists + (gr * query_blocks + twin) * key_blocks;
  const index count = row < query_blocks ? counts[gr * query_blocks + row] : 0;
  const index others = twin < query_blocks ? counts[gr * query_blocks + twin] : 0;
  i32 *to = super_lists + place * key_blocks;
  index in_both = 0;
  for (index first = 0; first < count; first += 32) {
    const index i = first + lane();
    const bool inside = i < count;
    const i32 block = inside ? own[i] : 0;
    const index below = inside ? count_below(other, others, block) : 0;
    const bool both = inside && below < others && other[below] == block;
    const u32 shared = __ballot_sync(whole_warp, both);
    if (inside && !(both && member == 1))
      to[i + below - in_both - __popc(shared & lanes_before())] = super_entry(block, both ? 3 : 1 << member);
    in_both += __popc(shared);
  }
  if (lane() == 0 && member == 0)
    super_counts[place] = static_cast<i32>(count + others - in_both);
}

} // namespace tercet::dev
