// Matrix products of one warp: mma.sync m16n8k16 on operands that ldmatrix brings from plain shared tiles (sm_80 on).
#pragma once

#include "tercet/dev/copy_ring.cuh"
#include "tercet/dev/fragment.cuh"

namespace tercet::dev {

/// c += A B for a 16 x 16 A and 16 x 8 B. The sum is an operand of its own, so that a known zero costs no register.
template <class Element> TERCET_DEVICE void multiply(float *c, const u32 (&a)[4], u32 b0, u32 b1);

template <> TERCET_DEVICE void multiply<bf16>(float *c, const u32 (&a)[4], u32 b0, u32 b1) {
  float d[4];
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%10, %11, %12, %13};"
               : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "f"(c[0]), "f"(c[1]), "f"(c[2]),
                 "f"(c[3]));
#pragma unroll
  for (int i = 0; i < 4; ++i)
    c[i] = d[i];
}

template <> TERCET_DEVICE void multiply<f16>(float *c, const u32 (&a)[4], u32 b0, u32 b1) {
  float d[4];
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%10, %11, %12, %13};"
               : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "f"(c[0]), "f"(c[1]), "f"(c[2]),
                 "f"(c[3]));
#pragma unroll
  for (int i = 0; i < 4; ++i)
    c[i] = d[i];
}

/// A 16-row tile as left operand, read from shared memory per step in depth.
template <class Element, int COLS, int STRIDE>
TERCET_DEVICE void load_left(u32 (&to)[4], const PlainTile<Element, 16, COLS, STRIDE> &tile, int k) {
  load_matrices(to, tile.address + lane() % 16 * tile.row_bytes + lane() / 16 * 16 + 32 * k);
}
template <class Element, int COLS>
TERCET_DEVICE void load_left(u32 (&to)[4], const Fragments<Element, 16, COLS> &fragments, int k) {
#pragma unroll
  for (int e = 0; e < 4; ++e)
    to[e] = fragments.at[k][e];
}

/// 16 rows and COLS columns of a shared tile into registers.
template <int COLS, class Element, int ROWS, int WIDTH, int STRIDE>
TERCET_DEVICE Fragments<Element, 16, COLS> fetch(const PlainTile<Element, ROWS, WIDTH, STRIDE> &tile, index row,
                                                 index col) {
  const u32 corner = tile.address + static_cast<u32>(row) * tile.row_bytes + static_cast<u32>(col) * 2;
  Fragments<Element, 16, COLS> result;
#pragma unroll
  for (int k = 0; k < COLS / 16; ++k)
    load_matrices(result.at[k], corner + lane() % 16 * tile.row_bytes + lane() / 16 * 16 + 32 * k);
  return result;
}

/// init + A B^T; A is 16 x DEPTH, in registers or shared memory, the rows of `b` are the columns of the product.
template <int DEPTH, class Left, class Element, int COLS, int WIDTH, int STRIDE>
TERCET_DEVICE Tile<16, COLS> matmul_transposed(const Left &a, const PlainTile<Element, COLS, WIDTH, STRIDE> &b,
                                               Tile<16, COLS> init) {
  const u32 corner =
      b.address + (lane() % 8 + lane() / 16 * 8) * b.row_bytes + lane() / 8 % 2 * 16; // n: t % 8, t / 16; k: t / 8 % 2
#pragma unroll
  for (int k = 0; k < DEPTH / 16; ++k) {
    u32 left[4];
    load_left(left, a, k);
#pragma unroll
    for (int n = 0; n < COLS / 16; ++n) {
      u32 right[4];
      load_matrices(right, corner + 16 * n * b.row_bytes + 32 * k);
      multiply<Element>(init.at + 8 * n, left, right[0], right[1]);
      multiply<Element>(init.at + 8 * n + 4, left, right[2], right[3]);
    }
  }
  return init;
}

/// acc += P B, with P rounded to the type of B; the rows of `b` are the depth of the product.
template <int DEPTH, int COLS, class Element, int WIDTH, int STRIDE>
TERCET_DEVICE void accumulate(const Tile<16, DEPTH> &p, const PlainTile<Element, DEPTH, WIDTH, STRIDE> &b,
                              Tile<16, COLS> &acc) {
  static_assert(COLS % 16 == 0 && WIDTH >= COLS, "values come 16 columns at a time");
  const Fragments<Element, 16, DEPTH> left = round_to<Element>(p);
  const u32 corner = b.address + lane() % 16 * b.row_bytes + lane() / 16 * 16;
#pragma unroll
  for (int k = 0; k < DEPTH / 16; ++k)
#pragma unroll
    for (int n = 0; n < COLS / 16; ++n) {
      u32 right[4];
      load_matrices_transposed(right, corner + 16 * k * b.row_bytes + 32 * n);
      multiply<Element>(acc.at + 8 * n, left.at[k], right[0], right[1]);
      multiply<Element>(acc.at + 8 * n + 4, left.at[k], right[2], right[3]);
    }
}

} // namespace tercet::dev
