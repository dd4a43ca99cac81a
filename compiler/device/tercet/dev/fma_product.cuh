// Matrix products of one warp on f32 tiles in shared memory, by fused multiply-adds in the layout of matrix units.
#pragma once

#include "tercet/dev/copy_ring.cuh"
#include "tercet/dev/tile.cuh"

namespace tercet::dev {

TERCET_DEVICE float4 load_four(u32 address) {
  float4 x;
  asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(x.x), "=f"(x.y), "=f"(x.z), "=f"(x.w)
               : "r"(address)
               : "memory");
  return x;
}
TERCET_DEVICE float2 load_two(u32 address) {
  float2 x;
  asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];" : "=f"(x.x), "=f"(x.y) : "r"(address) : "memory");
  return x;
}

TERCET_DEVICE float dot_four(float4 a, float4 b, float sum) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}

/// init + A B^T; A is 16 x DEPTH, the rows of `b` are the columns of the product.
template <int DEPTH, int COLS, int A_WIDTH, int A_STRIDE, int WIDTH, int STRIDE>
TERCET_DEVICE Tile<16, COLS> matmul_transposed(const PlainTile<float, 16, A_WIDTH, A_STRIDE> &a,
                                               const PlainTile<float, COLS, WIDTH, STRIDE> &b, Tile<16, COLS> init) {
  const u32 left = a.address + lane() / 4 * a.row_bytes, right = b.address + lane() % 4 * 2 * b.row_bytes;
#pragma unroll 2
  for (int k = 0; k < DEPTH / 4; ++k) {
    const float4 upper = load_four(left + 16 * k), lower = load_four(left + 8 * a.row_bytes + 16 * k);
#pragma unroll
    for (int n = 0; n < COLS / 8; ++n)
#pragma unroll
      for (int c = 0; c < 2; ++c) {
        const float4 x = load_four(right + (8 * n + c) * b.row_bytes + 16 * k);
        init.at[4 * n + c] = dot_four(upper, x, init.at[4 * n + c]);
        init.at[4 * n + 2 + c] = dot_four(lower, x, init.at[4 * n + 2 + c]);
      }
  }
  return init;
}

/// acc += P B; the rows of `b` are the depth of the product.
template <int DEPTH, int COLS, int WIDTH, int STRIDE>
TERCET_DEVICE void accumulate(const Tile<16, DEPTH> &p, const PlainTile<float, DEPTH, WIDTH, STRIDE> &b,
                              Tile<16, COLS> &acc) {
  const u32 right = b.address + lane() % 4 * 8;
#pragma unroll
  for (int k = 0; k < DEPTH; ++k) {
    const int owner = static_cast<int>(lane() & ~3u) + k % 8 / 2;
    const float upper = __shfl_sync(whole_warp, p.at[k / 8 * 4 + k % 2], owner);
    const float lower = __shfl_sync(whole_warp, p.at[k / 8 * 4 + k % 2 + 2], owner);
#pragma unroll
    for (int n = 0; n < COLS / 8; ++n) {
      const float2 x = load_two(right + k * b.row_bytes + 32 * n);
      acc.at[4 * n] = fmaf(upper, x.x, acc.at[4 * n]);
      acc.at[4 * n + 1] = fmaf(upper, x.y, acc.at[4 * n + 1]);
      acc.at[4 * n + 2] = fmaf(lower, x.x, acc.at[4 * n + 2]);
      acc.at[4 * n + 3] = fmaf(lower, x.y, acc.at[4 * n + 3]);
    }
  }
}

} // namespace tercet::dev
