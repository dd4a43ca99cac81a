// Bodies over the pairs of a register tile.
#pragma once

#include "tercet/dev/pair.cuh"
#include "tercet/dev/tile.cuh"

namespace tercet::dev {

/// body(element, row, column, own..) for every element of a tile whose first one stands at `row`, `col`; own: elements of
/// `operands`, which have the tile's shape or one column.
template <class Body, int ROWS, int COLS, class... Operands>
TERCET_DEVICE Tile<ROWS, COLS> map_pairs(Body body, Tile<ROWS, COLS> tile, index row, index col,
                                         const Operands &...operands) {
  using Result = Tile<ROWS, COLS>;
  const Int first_row = Int(row) + Int(tile.first_row()), first_col = Int(col) + Int(tile.col_of(0));
#pragma unroll
  for (int i = 0; i < tile.size; ++i)
    tile.at[i] = body(tile.at[i], first_row + Int(8 * Result::row_of(i)), first_col + Int(8 * (i / 4) + i % 2),
                      operand<Result>(operands, i)...);
  return tile;
}

} // namespace tercet::dev
