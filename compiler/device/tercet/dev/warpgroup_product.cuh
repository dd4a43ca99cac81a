// Matrix products of a warpgroup, in flight: started here, awaited later (wgmma, sm_90a).
//
// The compiler must not touch an accumulator between start and await, nor move work on it across them: `rest` pins the
// registers at both ends. All branches around these calls are uniform over the warpgroup.
#pragma once

#include "tercet/dev/fragment.cuh"
#include "tercet/dev/tensor_ring.cuh"
#include "tercet/dev/wgmma.cuh"

namespace tercet::dev {

/// Pins an accumulator: what was computed on it is done, and what comes next starts from here.
template <int SIZE> TERCET_DEVICE void rest(float (&accumulator)[SIZE]) {
#pragma unroll
  for (int i = 0; i < SIZE; ++i)
    asm volatile("" : "+f"(accumulator[i])::"memory");
}

TERCET_DEVICE void products_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
TERCET_DEVICE void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int LATER> TERCET_DEVICE void wait_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(LATER) : "memory");
}

/// Describes 128-byte swizzled shared memory to wgmma (PTX ISA, matrix descriptor). Groups of 8 rows lie 1024 bytes
/// apart; `leading` is the distance of boxes where the columns of the tile are the product's columns.
TERCET_DEVICE u64 describe(u32 address, u32 leading) {
  return (address & 0x3ffff) >> 4 | static_cast<u64>(leading >> 4) << 16 | static_cast<u64>(1024 >> 4) << 32 |
         1ull << 62;
}

/// Descriptors of 16 columns in depth of a tile whose rows are the product's rows or columns: step k.
template <class Element, int ROWS, int COLS>
TERCET_DEVICE u64 describe_depth(const SwizzledTile<Element, ROWS, COLS> &tile, int k) {
  return describe(tile.address, 16) + ((k / 4 * tile.box_bytes + k % 4 * 32) >> 4);
}

/// ROWS = 64 rows of a swizzled tile as left operands in registers.
template <int COLS, class Element, int ROWS, int WIDTH>
TERCET_DEVICE Fragments<Element, 64, COLS> fetch(const SwizzledTile<Element, ROWS, WIDTH> &tile, index row, index col) {
  const u32 r = static_cast<u32>(row) + warp() % 4 * 16 + lane() % 16, c = static_cast<u32>(col) / 8 + lane() / 16;
  Fragments<Element, 64, COLS> result;
#pragma unroll
  for (int k = 0; k < COLS / 16; ++k)
    load_matrices(result.at[k], tile.chunk(r, c + 2 * k));
  return result;
}

/// How deep a product is.
template <int DEPTH> struct Depth {};

/// A B^T in flight: the rows of `b` are the columns of the product. Made by all threads of the warpgroup.
template <int ROWS, int COLS> struct Pending {
  Tile<ROWS, COLS> tile;

  template <int DEPTH, class Element, int A_COLS, int B_COLS>
  TERCET_DEVICE Pending(Depth<DEPTH>, const Fragments<Element, ROWS, A_COLS> &a,
                        const SwizzledTile<Element, COLS, B_COLS> &b) {
    products_fence();
#pragma unroll
    for (int k = 0; k < DEPTH / 16; ++k)
      WarpgroupMultiply<Element, COLS>::template from_registers<0>(tile.at, a.at[k], describe_depth(b, k), k > 0);
    commit_products();
  }

  template <int DEPTH, class Element, int A_COLS, int B_COLS>
  TERCET_DEVICE Pending(Depth<DEPTH>, const SwizzledTile<Element, ROWS, A_COLS> &a,
                        const SwizzledTile<Element, COLS, B_COLS> &b) {
    products_fence();
#pragma unroll
    for (int k = 0; k < DEPTH / 16; ++k)
      WarpgroupMultiply<Element, COLS>::template from_shared<0>(tile.at, describe_depth(a, k), describe_depth(b, k),
                                                                k > 0);
    commit_products();
  }
};

/// Starts acc += P B, with P rounded to the type of B; the rows of `b` are the depth of the product.
template <int ROWS, int DEPTH, int COLS, class Element, int WIDTH>
TERCET_DEVICE void accumulate_async(const Tile<ROWS, DEPTH> &p, const SwizzledTile<Element, DEPTH, WIDTH> &b,
                                    Tile<ROWS, COLS> &acc) {
  const Fragments<Element, ROWS, DEPTH> left = round_to<Element>(p);
  rest(acc.at);
  products_fence();
#pragma unroll
  for (int k = 0; k < DEPTH / 16; ++k)
    WarpgroupMultiply<Element, COLS>::template from_registers<1>(
        acc.at, left.at[k], describe(b.address, b.box_bytes) + k * (2048 >> 4), true);
  commit_products();
}

/// Waits until at most LATER younger products are in flight; then the tile or accumulator may be touched.
template <int LATER, int ROWS, int COLS> TERCET_DEVICE Tile<ROWS, COLS> &await(Pending<ROWS, COLS> &product) {
  wait_products<LATER>();
  rest(product.tile.at);
  return product.tile;
}
template <int LATER, int ROWS, int COLS> TERCET_DEVICE void await(Tile<ROWS, COLS> &acc) {
  wait_products<LATER>();
  rest(acc.at);
}

} // namespace tercet::dev
