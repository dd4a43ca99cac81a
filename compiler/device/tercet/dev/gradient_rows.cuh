// What the backward needs of every query row: from scores in log2 units to probabilities, and the row's sum of dO O.
#pragma once

#include "tercet/dev/group.cuh"
#include "tercet/dev/number.cuh"
#include "tercet/dev/thread.cuh"

namespace tercet::dev {

/// The sum over a row of x y, by a warp, in every lane; in a fixed order. f32: one fused addition after the other, as dP is made
/// (fma_product.cuh). Where one key has all of a row's P, O is its value, and dP and the sum are the same bits.
template <int COLS, class Element> TERCET_DEVICE float row_product(const Element *x, const float *y) {
  float sum = 0;
  if constexpr (sizeof(Element) == 4) {
    for (int c = 0; c < COLS; ++c)
      sum = fmaf(x[c], y[c], sum);
    return sum;
  }
  for (index c = 2 * lane(); c < COLS; c += 64) {
    const float2 of_x = load_pair(x + c), of_y = load_pair(y + c);
    sum = fmaf(of_x.x, of_y.x, fmaf(of_x.y, of_y.y, sum));
  }
  return warp_add(sum);
}

/// shifts[gr][row] = -(lse + lse_rest) log2 e, what rounding leaves of it in rests, and sums[gr][row] = the sum over the row of
/// dO O, in a fixed order; -inf and 0 for rows at or beyond the batch's length and rows that see no key, and for those that pad a head's
/// to a multiple of PAD. A warp per row; o is f32, do of Element, the sum of PLANES that lie `gradient_plane` apart; lse_rest may be
/// null. Heads of o and lse, and of do, are the group's where they are OWN, else those of the call.
template <int THREADS, class Element, int DV, int PAD, bool OWN, bool OWN_GRADIENT, int PLANES>
TERCET_DEVICE void gradient_rows(index part, index gr, const float *o, index o_batch, index o_head, index o_row,
                                 const Element *gradient, index gradient_batch, index gradient_head, index gradient_row,
                                 const float *lse, index lse_batch, index lse_head, index lse_row,
                                 const float *lse_rest, index rest_batch, index rest_head, index rest_row,
                                 index gradient_plane, const i32 *q_len, index key_heads, index heads_per_key_head,
                                 index tokens, index first_pair, float *shifts, float *rests, float *sums) {
  const GroupHead at = group_head(gr, first_pair, key_heads, heads_per_key_head);
  const index row = part * (THREADS / 32) + warp(), padded = ceil_div(tokens, PAD) * PAD;
  if (row >= padded)
    return;
  const index head = OWN ? gr : at.query_head;
  float sum = 0, log = -infinity(), rest = 0;
  if (row < live_tokens(q_len, at.batch, tokens)) {
    const float *output = o + head_offset(at.batch, o_batch, head, o_head) + row * o_row;
    const Element *of = gradient +
                        head_offset(at.batch, gradient_batch, OWN_GRADIENT ? gr : at.query_head, gradient_head) +
                        row * gradient_row;
    log = lse[head_offset(at.batch, lse_batch, head, lse_head) + row * lse_row];
    if (lse_rest != nullptr)
      rest = lse_rest[head_offset(at.batch, rest_batch, head, rest_head) + row * rest_row];
#pragma unroll
    for (int plane = 0; plane < PLANES; ++plane)
      sum += row_product<DV>(of + plane * gradient_plane, output);
  }
  if (lane() != 0)
    return;
  const bool sees = log != -infinity();
  const float log2_e = 1.44269504f, log2_e_rest = 1.92596303e-8f, shift = -log * log2_e;
  shifts[gr * padded + row] = sees ? shift : -infinity();
  rests[gr * padded + row] = sees ? fmaf(-log, log2_e, -shift) - fmaf(log, log2_e_rest, rest * log2_e) : 0.0f;
  sums[gr * padded + row] = sees ? sum : 0.0f;
}

} // namespace tercet::dev
