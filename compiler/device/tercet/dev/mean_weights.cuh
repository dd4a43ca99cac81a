// Block means as keys: what a mean stands for, log2 of how many tokens, beside its score in log2 units.
#pragma once

#include "tercet/dev/number.cuh"
#include "tercet/dev/tile.cuh"

namespace tercet::dev {

/// log2 of the tokens of a block of BLOCK, of which so many are `left` from its first one on.
template <int BLOCK> TERCET_DEVICE float mean_weight(index left) {
  return log2_approx(static_cast<float>(left >= BLOCK ? BLOCK : static_cast<int>(left)));
}

/// Scores of block means, in log2 units: column c is key block first + c, which stands for its BLOCK tokens (fewer in
/// the last one of `keys`; as many as `counts` says from first_count on where it is not null); blocks whose bit is not set become -inf.
/// bits: of all rows; the row's begin at word `row`.
template <int BLOCK, int ROWS, int COLS>
TERCET_DEVICE Tile<ROWS, COLS> weigh_means(Tile<ROWS, COLS> scores, const i32 *bits, index row, index first, index keys,
                                           const i32 *counts = nullptr, index first_count = 0) {
#pragma unroll
  for (int n = 0; n < COLS / 8; ++n) { // 8 blocks share a word, since `first` is a multiple of 8
    const index group = first + 8 * n;
    const u32 word = group * BLOCK < keys ? static_cast<u32>(bits[row + group / 32]) >> (group % 32) : 0;
#pragma unroll
    for (int i = 4 * n; i < 4 * n + 4; ++i) {
      const int c = static_cast<int>(scores.col_of(i)) - 8 * n;
      const bool member = (word >> c & 1) != 0;
      const index left = counts == nullptr ? keys - (group + c) * BLOCK
                         : member          ? counts[first_count + group + c]
                                           : BLOCK;
      scores.at[i] = member ? scores.at[i] + mean_weight<BLOCK>(left) : -infinity();
    }
  }
  return scores;
}

/// The same where rows are key blocks from `first` on: the weight of each in the row of bits that begins at word `row`, or -inf.
template <int BLOCK, int ROWS>
TERCET_DEVICE Tile<ROWS, 1> row_weights(const i32 *bits, index row, index first, index keys) {
  Tile<ROWS, 1> weights = splat<ROWS, 1>(-infinity());
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const index block = first + weights.first_row() + 8 * half, left = keys - block * BLOCK;
    if (left > 0 && (static_cast<u32>(bits[row + block / 32]) >> (block % 32) & 1) != 0)
      weights.at[half] = mean_weight<BLOCK>(left);
  }
  return weights;
}

/// How many of `keys` tokens the key blocks from `first` on have, a block per row; 1 where it has none.
template <int BLOCK, int ROWS> TERCET_DEVICE Tile<ROWS, 1> row_counts(index first, index keys) {
  Tile<ROWS, 1> counts;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const index left = keys - (first + counts.first_row() + 8 * half) * BLOCK;
    counts.at[half] = static_cast<float>(left >= BLOCK ? BLOCK : left > 1 ? static_cast<int>(left) : 1);
  }
  return counts;
}

} // namespace tercet::dev
