// The online softmax on register tiles: masking of columns and the step that keeps maximum, sum and accumulator in
// line.
#pragma once

#include "tercet/dev/number.cuh"
#include "tercet/dev/tile.cuh"

namespace tercet::dev {

/// `tile` with -inf in the columns at or beyond `cols`, whatever they hold.
template <int ROWS, int COLS> TERCET_DEVICE Tile<ROWS, COLS> mask_cols(Tile<ROWS, COLS> tile, index cols) {
  if (cols < COLS) {
    const int live = static_cast<int>(cols);
#pragma unroll
    for (int i = 0; i < tile.size; ++i)
      tile.at[i] = static_cast<int>(tile.col_of(i)) < live ? tile.at[i] : -infinity();
  }
  return tile;
}

/// `tile` with `otherwise` in the rows at or beyond `live`; `row` is the tile's first row.
template <int ROWS, int COLS>
TERCET_DEVICE Tile<ROWS, COLS> keep_rows(Tile<ROWS, COLS> tile, index row, index live, float otherwise) {
#pragma unroll
  for (int i = 0; i < tile.size; ++i)
    tile.at[i] = row + tile.first_row() + 8 * tile.row_of(i) < live ? tile.at[i] : otherwise;
  return tile;
}

/// Scores of block means, in log2 units: column c is key block first + c, which stands for its BLOCK tokens (fewer in
/// the last one of `keys`; as many as `counts` says from first_count on where it is not null); blocks whose bit is not set become -inf.
/// bits: of all rows; the row's begin at word `row`.
template <int BLOCK, int ROWS, int COLS>
TERCET_DEVICE Tile<ROWS, COLS> weigh_means(Tile<ROWS, COLS> scores, const i32 *bits, index row, index first, index keys,
                                           const i32 *counts = nullptr, index first_count = 0) {
  const float whole = log2_approx(static_cast<float>(BLOCK));
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
      const float weight = left >= BLOCK ? whole : log2_approx(static_cast<float>(static_cast<int>(left)));
      scores.at[i] = member ? scores.at[i] + weight : -infinity();
    }
  }
  return scores;
}

/// Gives rows that have met no score above -inf the maximum of these scores, `unit` of which are one of log2, where it is
/// finite. Relative to 0 their exponents would be rounded at their own size: products are anyway, but not what a score region
/// bounds.
template <int ROWS, int COLS> TERCET_DEVICE void start_rows(Tile<ROWS, COLS> scores, float unit, Tile<ROWS, 1> &max) {
  const bool fresh[2] = {max.at[0] == -infinity(), max.at[1] == -infinity()};
  if (__any_sync(whole_warp, fresh[0] || fresh[1])) {
    const Tile<ROWS, 1> top = reduce_max(scores);
#pragma unroll
    for (int row = 0; row < 2; ++row)
      max.at[row] = fresh[row] && fabsf(top.at[row]) < infinity() ? top.at[row] * unit : max.at[row];
  }
}

/// Scores are in log2 units, relative to `max`. Returns p = 2^score and adds its row sums to `sum`. Where a score of
/// the warp's rows exceeds `threshold`, `max` becomes the true maximum of the rows so far, and sum, acc and the scores
/// follow: p is then at most 1, else at most 2^threshold. A row whose `max` is -inf has met no score above -inf: its
/// scores are as they are, and the first such score becomes its maximum, however low; until then p = 0.
template <int ROWS, int COLS, int DEPTH>
TERCET_DEVICE Tile<ROWS, COLS> softmax_step(Tile<ROWS, COLS> scores, Tile<ROWS, 1> &max, Tile<ROWS, 4> &sum,
                                            Tile<ROWS, DEPTH> &acc, float threshold) {
  const Tile<ROWS, 1> top = reduce_max(scores);
  const bool fresh[2] = {max.at[0] == -infinity(), max.at[1] == -infinity()};
  const bool rises =
      top.at[0] > (fresh[0] ? -infinity() : threshold) || top.at[1] > (fresh[1] ? -infinity() : threshold);
  if (__any_sync(whole_warp, rises)) {
    Tile<ROWS, 1> rise, factor;
#pragma unroll
    for (int row = 0; row < 2; ++row) {
      const float wanted = fresh[row] ? top.at[row] : fmaxf(top.at[row], 0.0f);
      rise.at[row] = wanted == -infinity() ? 0.0f : wanted;
      factor.at[row] = fresh[row] ? 0.0f : exp2_approx(-rise.at[row]);
      max.at[row] = fresh[row] ? wanted : max.at[row] + rise.at[row];
      sum.at[row] *= factor.at[row];
    }
    const auto product = [](float value, float scale) { return value * scale; };
    acc = map<ROWS, DEPTH>(product, acc, factor);
    scores = map<ROWS, COLS>([](float score, float by) { return score - by; }, scores, rise);
  }
#pragma unroll
  for (int i = 0; i < scores.size; ++i) {
    scores.at[i] = exp2_approx(scores.at[i]);
    sum.at[scores.row_of(i)] += scores.at[i];
  }
  return scores;
}

} // namespace tercet::dev
