// Fragments: the left operand of matrix products in registers, 16 rows per warp, and how it comes from shared memory or
// from a register tile.
#pragma once

#include "tercet/dev/number.cuh"
#include "tercet/dev/tile.cuh"

namespace tercet::dev {

/// at[k]: columns 16 k .. 16 k + 15 of the warp's 16 rows, as m16n8k16 and wgmma take operand A.
template <class ELEMENT, int ROWS, int COLS> struct Fragments {
  static_assert(COLS % 16 == 0, "operands are 16 columns deep");
  using Element = ELEMENT;
  static constexpr int rows = ROWS, cols = COLS;
  u32 at[COLS / 16][4];
};

/// Four 8 x 8 matrices of 2-byte elements; thread t gives the address of row t % 8 of matrix t / 8.
TERCET_DEVICE void load_matrices(u32 (&to)[4], u32 address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
}

/// The same, each matrix transposed on the way.
TERCET_DEVICE void load_matrices_transposed(u32 (&to)[4], u32 address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
}

/// A tile rounded to the element type. The layout of a product's result is that of a left operand, two by two columns.
template <class Element, int ROWS, int COLS>
TERCET_DEVICE Fragments<Element, ROWS, COLS> round_to(const Tile<ROWS, COLS> &tile) {
  Fragments<Element, ROWS, COLS> result;
#pragma unroll
  for (int k = 0; k < COLS / 16; ++k)
#pragma unroll
    for (int e = 0; e < 4; ++e)
      result.at[k][e] = pack<Element>(tile.at[8 * k + 2 * e], tile.at[8 * k + 2 * e + 1]);
  return result;
}

} // namespace tercet::dev
