// Tile: ROWS x COLS values of f32 in the registers of a worker, laid out as matrix products leave them.
//
// Every warp holds 16 rows; a tile of a warpgroup has 64. A thread's element i of a tile with 8 or more columns is row
// lane / 4 + 8 (i / 2 % 2), column 8 (i / 4) + 2 (lane % 4) + i % 2. Tiles of one column hold one value per row, the
// same in all threads of the quad; tiles of four columns one value per row and thread of the quad.
#pragma once

#include "tercet/dev/thread.cuh"

namespace tercet::dev {

template <int ROWS, int COLS> struct Tile {
  static_assert((ROWS == 16 || ROWS == 64) && (COLS == 1 || COLS == 4 || COLS % 8 == 0), "no such register tile");
  static constexpr int rows = ROWS, cols = COLS, size = COLS >= 8 ? COLS / 2 : 2;

  float at[size];

  /// The row of this thread's first element; the others are in this row and eight further down.
  TERCET_DEVICE static u32 first_row() { return (ROWS == 64 ? warp() % 4 * 16 : 0) + lane() / 4; }
  /// Which of the thread's two rows element i belongs to.
  TERCET_DEVICE static constexpr int row_of(int i) { return COLS >= 8 ? i / 2 % 2 : i; }
  /// The column of element i.
  TERCET_DEVICE static u32 col_of(int i) {
    return COLS >= 8 ? 8 * (i / 4) + 2 * (lane() % 4) + i % 2 : COLS == 4 ? lane() % 4 : 0;
  }
};

template <int ROWS, int COLS> TERCET_DEVICE Tile<ROWS, COLS> splat(float value) {
  Tile<ROWS, COLS> result;
#pragma unroll
  for (int i = 0; i < result.size; ++i)
    result.at[i] = value;
  return result;
}

/// Element i of an operand that has the result's columns, or one column for all of them.
template <class Result, int ROWS, int COLS> TERCET_DEVICE float operand(const Tile<ROWS, COLS> &tile, int i) {
  static_assert(COLS == Result::cols || COLS == 1, "an operand has the result's columns, or one");
  return tile.at[COLS == Result::cols ? i : Result::row_of(i)];
}

/// body applied to the elements of tiles with the result's shape, or of one column.
template <int ROWS, int COLS, class Body, class... Operands>
TERCET_DEVICE Tile<ROWS, COLS> map(Body body, const Operands &...operands) {
  using Result = Tile<ROWS, COLS>;
  Result result;
#pragma unroll
  for (int i = 0; i < Result::size; ++i)
    result.at[i] = body(operand<Result>(operands, i)...);
  return result;
}

/// The sum of each row, in a fixed order.
template <int ROWS, int COLS> TERCET_DEVICE Tile<ROWS, 1> reduce_add(const Tile<ROWS, COLS> &tile) {
  using Source = Tile<ROWS, COLS>;
  Tile<ROWS, 1> result = splat<ROWS, 1>(0.0f);
#pragma unroll
  for (int i = 0; i < Source::size; ++i)
    result.at[Source::row_of(i)] += tile.at[i];
  return map<ROWS, 1>([](float value) { return quad_add(value); }, result);
}

/// The maximum of each row; NaN does not count.
template <int ROWS, int COLS> TERCET_DEVICE Tile<ROWS, 1> reduce_max(const Tile<ROWS, COLS> &tile) {
  using Source = Tile<ROWS, COLS>;
  Tile<ROWS, 1> result = {{tile.at[0], tile.at[Source::size - 1]}};
#pragma unroll
  for (int i = 0; i < Source::size; ++i)
    result.at[Source::row_of(i)] = fmaxf(result.at[Source::row_of(i)], tile.at[i]);
  return map<ROWS, 1>([](float value) { return quad_max(value); }, result);
}

} // namespace tercet::dev
