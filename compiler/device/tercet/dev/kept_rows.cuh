// Rows of f32 that one attend stage keeps in the workspace for a later one, and states of softmaxes that become one.
#pragma once

#include "tercet/dev/global.cuh"

namespace tercet::dev {

/// The row of an earlier stage that SHARE rows of this one have in common.
template <int SHARE> TERCET_DEVICE index shared_row(index row) { return static_cast<u32>(row) / SHARE; }

/// The tile of ROWS rows from `row` on; 0 in the rows at or beyond `live`.
template <int ROWS, int SHARE, int COLS>
TERCET_DEVICE Tile<ROWS, COLS> kept_rows(Rows<float, COLS> kept, index row, index live) {
  Tile<ROWS, COLS> tile = splat<ROWS, COLS>(0.0f);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const index r = row + tile.first_row() + 8 * half;
    if (r < live) {
      const float *line = kept.row(shared_row<SHARE>(r));
      if constexpr (COLS == 1) {
        tile.at[half] = *line;
      } else {
#pragma unroll
        for (int i = 2 * half; i < tile.size; i += 4) {
          const float2 pair = load_pair(line + tile.col_of(i));
          tile.at[i] = pair.x;
          tile.at[i + 1] = pair.y;
        }
      }
    }
  }
  return tile;
}

/// `tile`, which stands at row `row`, plus rows of the workspace; nothing in the rows at or beyond `live`.
template <int ROWS, int COLS>
TERCET_DEVICE Tile<ROWS, COLS> add_kept_rows(Tile<ROWS, COLS> tile, Rows<float, COLS> kept, index row, index live) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const index r = row + tile.first_row() + 8 * half;
    if (r < live) {
      const float *line = kept.row(r);
#pragma unroll
      for (int i = 2 * half; i < tile.size; i += 4) {
        const float2 pair = load_pair(line + tile.col_of(i));
        tile.at[i] += pair.x;
        tile.at[i + 1] += pair.y;
      }
    }
  }
  return tile;
}

/// Maxima (in log2 units) and sums of the rows before `limit`, by one thread of the quad.
template <int ROWS>
TERCET_DEVICE void keep_state(Rows<float, 2> state, index row, index limit, const Tile<ROWS, 1> &max,
                              const Tile<ROWS, 1> &sum) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const index r = row + max.first_row() + 8 * half;
    if (r < limit && lane() % 4 == 0)
      store_pair(state.row(r), max.at[half], sum.at[half]);
  }
}

/// Puts what a stage kept of the rows before `live`, numerators, maxima and sums, under the softmax of these: as if the keys of both had
/// come together. Each thread of a quad has a part of a sum: the first one adds all of the earlier one.
template <int SHARE, int ROWS, int DEPTH>
TERCET_DEVICE void merge_softmax(Rows<float, DEPTH> numerators, Rows<float, 2> state, index row, index live,
                                 Tile<ROWS, 1> &max, Tile<ROWS, 4> &sum, Tile<ROWS, DEPTH> &acc) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const index r = row + max.first_row() + 8 * half;
    if (r < live) {
      const float2 before = load_pair<float>(state.row(shared_row<SHARE>(r)));
      const float top = fmaxf(max.at[half], before.x);
      const float own = max.at[half] == -infinity() ? 0.0f : exp2_approx(max.at[half] - top);
      const float earlier = before.x == -infinity() ? 0.0f : exp2_approx(before.x - top);
      const float *line = numerators.row(shared_row<SHARE>(r));
#pragma unroll
      for (int i = 2 * half; i < acc.size; i += 4) {
        const float2 pair = load_pair(line + acc.col_of(i));
        acc.at[i] = fmaf(acc.at[i], own, pair.x * earlier);
        acc.at[i + 1] = fmaf(acc.at[i + 1], own, pair.y * earlier);
      }
      sum.at[half] = fmaf(sum.at[half], own, lane() % 4 == 0 ? before.y * earlier : 0.0f);
      max.at[half] = top;
    }
  }
}

} // namespace tercet::dev
