// Neighbouring columns of tiles and of rows, for work on wide tiles that takes some columns at a time.
#pragma once

#include "tercet/dev/global.cuh"

namespace tercet::dev {

/// The columns AT .. AT + WIDTH - 1 of a tile.
template <int AT, int WIDTH, int ROWS, int COLS> TERCET_DEVICE Tile<ROWS, WIDTH> columns(const Tile<ROWS, COLS> &tile) {
  static_assert(AT % 8 == 0 && AT + WIDTH <= COLS, "whole fragments of the tile");
  Tile<ROWS, WIDTH> part;
#pragma unroll
  for (int i = 0; i < part.size; ++i)
    part.at[i] = tile.at[AT / 2 + i];
  return part;
}

/// Puts `part` in their place.
template <int AT, int ROWS, int COLS, int WIDTH>
TERCET_DEVICE void set_columns(Tile<ROWS, COLS> &tile, const Tile<ROWS, WIDTH> &part) {
  static_assert(AT % 8 == 0 && AT + WIDTH <= COLS, "whole fragments of the tile");
#pragma unroll
  for (int i = 0; i < part.size; ++i)
    tile.at[AT / 2 + i] = part.at[i];
}

/// The columns AT .. AT + WIDTH - 1 of rows in global memory.
template <int AT, int WIDTH, class Element, int COLS>
TERCET_DEVICE Rows<Element, WIDTH> columns(Rows<Element, COLS> rows) {
  static_assert(AT % 8 == 0 && AT + WIDTH <= COLS, "columns of the rows");
  return {rows.base + AT, rows.stride};
}

} // namespace tercet::dev
