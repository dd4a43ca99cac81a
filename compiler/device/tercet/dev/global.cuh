// Rows in global memory: what a view of a kernel's argument is, and how register tiles are stored to it.
#pragma once

#include "tercet/dev/number.cuh"
#include "tercet/dev/tile.cuh"

namespace tercet::dev {

/// Rows of COLS elements, `stride` elements apart, 16-byte aligned.
template <class Element, int COLS> struct Rows {
  static constexpr int cols = COLS;
  Element *base;
  index stride;
  TERCET_DEVICE Element *row(index r) const { return base + r * stride; }
};

/// No limit on rows.
enum : index { all_rows = 0x7fffffffffffffffll };

/// Two neighbouring columns of a row, rounded to the element type.
template <class Element> TERCET_DEVICE void store_pair(Element *to, float low, float high) {
  *reinterpret_cast<u32 *>(to) = pack<Element>(low, high);
}
template <> TERCET_DEVICE void store_pair<float>(float *to, float low, float high) {
  *reinterpret_cast<float2 *>(to) = float2{low, high};
}

/// Writes a tile to the rows from `row` on; rows at or beyond `limit` and columns that the view does not have stay.
template <int ROWS, int COLS, class Element, int WIDTH>
TERCET_DEVICE void store(const Tile<ROWS, COLS> &tile, Rows<Element, WIDTH> to, index row, index limit = all_rows) {
  static_assert(COLS >= 8 && WIDTH % 8 == 0, "wide rows are stored in pairs");
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const index r = row + tile.first_row() + 8 * half;
    if (r < limit) {
      Element *line = to.row(r);
#pragma unroll
      for (int i = 2 * half; i < tile.size; i += 4)
        if (8 * (i / 4) < WIDTH)
          store_pair(line + tile.col_of(i), tile.at[i], tile.at[i + 1]);
    }
  }
}

/// The same to the columns from `col` on.
template <int ROWS, int COLS, class Element, int WIDTH>
TERCET_DEVICE void store_at(const Tile<ROWS, COLS> &tile, Rows<Element, WIDTH> to, index row, int col, index limit) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const index r = row + tile.first_row() + 8 * half;
    if (r < limit) {
      Element *line = to.row(r) + col;
#pragma unroll
      for (int i = 2 * half; i < tile.size; i += 4)
        if (col + 8 * (i / 4) < WIDTH)
          store_pair(line + tile.col_of(i), tile.at[i], tile.at[i + 1]);
    }
  }
}

/// One value per row, by one thread of the quad.
template <int ROWS>
TERCET_DEVICE void store(const Tile<ROWS, 1> &tile, Rows<float, 1> to, index row, index limit = all_rows) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const index r = row + tile.first_row() + 8 * half;
    if (r < limit && lane() % 4 == 0)
      *to.row(r) = tile.at[half];
  }
}

} // namespace tercet::dev
