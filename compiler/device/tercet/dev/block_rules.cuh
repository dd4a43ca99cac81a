// What masks and block sets say of pairs of blocks, before selection: a byte per query head, query block and key block.
#pragma once

#include "tercet/dev/pair.cuh"
#include "tercet/dev/row_blocks.cuh"

namespace tercet::dev {

/// What `mask` does to a block of rows [row, row_end) and columns [col, col_end), for 32 blocks at once, one per thread of
/// a warp. guess: the same, where yes is always a right answer; where it is yes twice, the warp looks at the pairs of the
/// block until it has found both.
template <class Mask>
TERCET_DEVICE MaskEffect vote_pairs(Mask mask, MaskEffect guess, index row, index row_end, index col, index col_end) {
  for (u32 open = __ballot_sync(whole_warp, guess.allows && guess.forbids); open != 0; open &= open - 1) {
    const int thread = __ffs(static_cast<int>(open)) - 1;
    const int first_row = __shfl_sync(whole_warp, static_cast<int>(row), thread);
    const int last_row = __shfl_sync(whole_warp, static_cast<int>(row_end), thread);
    const int first_col = __shfl_sync(whole_warp, static_cast<int>(col), thread);
    const int last_col = __shfl_sync(whole_warp, static_cast<int>(col_end), thread);
    MaskEffect found = {false, false};
    for (int i = first_row; i < last_row && !(found.allows && found.forbids); ++i) {
      MaskEffect mine = {false, false};
      for (int j = first_col + static_cast<int>(lane()); j < last_col; j += 32) {
        const bool allows = mask(Int(i), Int(j));
        mine = {mine.allows || allows, mine.forbids || !allows};
      }
      found = {found.allows || __any_sync(whole_warp, mine.allows),
               found.forbids || __any_sync(whole_warp, mine.forbids)};
    }
    if (static_cast<int>(lane()) == thread)
      guess = found;
  }
  return guess;
}

/// The rule of a block, to entry `at`.
TERCET_DEVICE void store_rule(i8 *rules, index at, bool allows, bool forbids, bool forced, bool forbidden) {
  rules[at] = static_cast<i8>((allows ? 0 : rule_empty) | (allows && forbids ? rule_partial : 0) |
                              (forced ? rule_forced : 0) | (forbidden ? rule_forbidden : 0));
}

} // namespace tercet::dev
