// The projection W, b of the linear branch, made ready once per call: W as operands of the state kernel, b in f32. An
// absent W is the identity, an absent b is 0.
#pragma once

#include "tercet/dev/number.cuh"

namespace tercet::dev {

/// DType of an argument (tercet/Tensor.h).
enum : int { dtype_f32 = 0, dtype_f16 = 1, dtype_bf16 = 2 };

TERCET_DEVICE float read_any(const void *base, index at, index dtype) {
  if (dtype == dtype_f32)
    return static_cast<const float *>(base)[at];
  return dtype == dtype_f16 ? to_float(static_cast<const f16 *>(base)[at])
                            : to_float(static_cast<const bf16 *>(base)[at]);
}

/// Row e of w [SIZE, SIZE] and b[e]; rows and columns from SIZE to PADDED are 0. As two planes of bf16 [2][PADDED][PADDED],
/// row e holding w[e][..], for matrix units; SPLIT = false: f32 [PADDED][PADDED], transposed.
template <int THREADS, int SIZE, int PADDED, bool SPLIT>
TERCET_DEVICE void pack_weight(index e, const void *w, const void *b, index w_dtype, index b_dtype, index w_row,
                               index w_col, index b_stride, float *packed, float *bias) {
  for (int c = static_cast<int>(threadIdx.x); c < PADDED; c += THREADS) {
    const bool inside = e < SIZE && c < SIZE;
    const float identity = e == c ? 1.0f : 0.0f;
    const float value = !inside ? 0.0f : w == nullptr ? identity : read_any(w, e * w_row + c * w_col, w_dtype);
    if (SPLIT) {
      const SplitPair pair = split(value, 0.0f);
      u16 *planes = reinterpret_cast<u16 *>(packed);
      planes[e * PADDED + c] = static_cast<u16>(pair.high & 0xffff);
      planes[(PADDED + e) * PADDED + c] = static_cast<u16>(pair.low & 0xffff);
    } else {
      packed[c * PADDED + e] = value;
    }
  }
  if (threadIdx.x == 0)
    bias[e] = e < SIZE && b != nullptr ? read_any(b, e * b_stride, b_dtype) : 0.0f;
}

} // namespace tercet::dev
