// A number per column of a tile, from memory.
#pragma once

#include "tercet/dev/tile.cuh"

namespace tercet::dev {

/// values[first + column] in every row; `otherwise` in columns at or beyond `limit`, counted from values[0] too.
template <int ROWS, int COLS>
TERCET_DEVICE Tile<ROWS, COLS> column_values(const float *values, index first, index limit, float otherwise) {
  Tile<ROWS, COLS> result;
#pragma unroll
  for (int i = 0; i < result.size; i += 4)
#pragma unroll
    for (int c = 0; c < 2; ++c) {
      const index at = first + result.col_of(i + c);
      result.at[i + c] = result.at[i + 2 + c] = at < limit ? values[at] : otherwise;
    }
  return result;
}

} // namespace tercet::dev
