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
      // Rises by what rounding leaves, as exponents of later keys are of it; but under a threshold of 0 by what makes the
      // largest p 1: where p is rounded to 16 bits and its sum is not, O would be a multiple of a value that has all of P.
      const float moved = max.at[row] + wanted, left = threshold == 0.0f ? wanted : moved - max.at[row];
      rise.at[row] = wanted == -infinity() ? 0.0f : fresh[row] ? wanted : left;
      factor.at[row] = fresh[row] ? 0.0f : exp2_approx(-rise.at[row]);
      max.at[row] = fresh[row] ? wanted : moved;
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
