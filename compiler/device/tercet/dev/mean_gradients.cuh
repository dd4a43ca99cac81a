// Gradients of query blocks and the means of their marginal key blocks. With the rows of a block weighed by w_t = exp(L - LSE_t), L being the
// least of their LSEs, what they do to the scores of the block adds up to one row: dO = sum w_t dO_t, D = sum w_t D_t, and P =
// n_j exp(score - L) <= 1.
#pragma once

#include "tercet/dev/mean_pairs.cuh"

namespace tercet::dev {

/// A row of these: what turns a score in log2 units into P, what rounding left of that, and D.
struct MeanRow {
  float shift, rest, sum;
};
enum : int { mean_row_floats = 4 }; ///< of one in memory

TERCET_DEVICE MeanRow load_mean_row(const float *states, index line) {
  const float *at = states + line * mean_row_floats;
  return {at[0], at[1], at[2]};
}

/// Query block `block` of head gr, by THREADS threads. gradient: dO of the call; shifts, rests and sums [gr][tokens, padded to PAD] of
/// gradient_rows. To rows [gr][query blocks][DV] and states, and
/// what the means have of the P of each row, by the state that attend_means kept, to shares [gr][tokens] unless that is null.
template <int THREADS, class Element, int DV, int BLOCK_Q, int PAD>
TERCET_DEVICE void mean_rows(index block, index gr, const Element *gradient, index batch_stride, index head_stride,
                             index row_stride, index key_heads, index heads_per_key_head, index tokens,
                             index first_pair, const float *shifts, const float *rests, const float *sums, float *rows,
                             float *states, const float *kept, float *shares) {
  const GroupHead at = group_head(gr, first_pair, key_heads, heads_per_key_head);
  const index padded = ceil_div(tokens, PAD) * PAD, line = gr * ceil_div(tokens, BLOCK_Q) + block;
  const index first = block * BLOCK_Q, end = smaller(first + BLOCK_Q, tokens);
  const float *shift = shifts + gr * padded, *rest = rests + gr * padded, *sum = sums + gr * padded;
  const Element *from = gradient + head_offset(at.batch, batch_stride, at.query_head, head_stride);
  float most = -infinity(), left = 0;
  for (index t = first; t < end; ++t)
    if (shift[t] > most) {
      most = shift[t];
      left = rest[t];
    }
  for (int c = static_cast<int>(threadIdx.x); c <= DV; c += THREADS) { // the last one adds up D
    float total = 0;
    for (index t = first; t < end; ++t)
      if (shift[t] != -infinity()) {
        const float weight = exp2_approx((shift[t] - most) + (rest[t] - left));
        total = fmaf(weight, c < DV ? to_float(from[t * row_stride + c]) : sum[t], total);
      }
    if (c < DV)
      rows[line * DV + c] = total;
    else
      states[line * mean_row_floats + 2] = total;
  }
  if (shares != nullptr)
    for (index t = first + threadIdx.x; t < end; t += THREADS)
      shares[gr * tokens + t] =
          shift[t] == -infinity() ? 0.0f : kept[2 * line + 1] * exp2_approx((kept[2 * line] + shift[t]) + rest[t]);
  if (threadIdx.x == 0) {
    states[line * mean_row_floats] = most;
    states[line * mean_row_floats + 1] = left;
  }
}

/// By the means of query blocks WARPS part .. of head gr, to [gr][query blocks][WIDTH].
template <int WARPS, int D, int DV, int WIDTH, int PLANES_K, int PLANES_V, int BLOCK_Q, int BLOCK_K, int SHARED,
          class Element>
TERCET_DEVICE void mean_query_gradient(u8 *shared, index part, index gr, index pairs, const float *mean_q,
                                       const Element *mean_k, const Element *mean_v, const i32 *bits, double scale,
                                       const i32 *key_lengths, index key_heads, index heads_per_key_head, index rows,
                                       index keys, index first_pair, const float *gradients, const float *states,
                                       float *to) {
  static_assert(mean_pairs_bytes<WARPS, D, DV>() <= SHARED, "rows and tiles fit");
  const MeanHead<BLOCK_Q, BLOCK_K, false> of(gr, bits, key_lengths, key_heads, heads_per_key_head, rows, keys,
                                             first_pair);
  float *k = reinterpret_cast<float *>(shared), *v = k + staged_floats<D>(32), *q = v + staged_floats<DV>(32),
        *d_o = q + staged_floats<D>(WARPS);
  const index i = part * WARPS + warp(), line = gr * of.query_blocks + i;
  const bool has_row = i < of.query_blocks;
  const float unit = static_cast<float>(scale * 1.4426950408889634), natural = static_cast<float>(scale);
  stage_rows<32 * WARPS, WARPS, 1, D>(q, mean_q + gr * of.query_blocks * D, 0, part * WARPS, of.query_blocks);
  stage_rows<32 * WARPS, WARPS, 1, DV>(d_o, gradients + gr * of.query_blocks * DV, 0, part * WARPS, of.query_blocks);
  MeanRow row = {-infinity(), 0, 0};
  if (has_row)
    row = load_mean_row(states, line);
  LaneColumns<D> acc = {};
  for (index first = 0; first < of.key_blocks; first += 32) {
    const index of_pair = of.g * of.key_blocks;
    __syncthreads();
    stage_rows<32 * WARPS, 32, PLANES_K, D>(k, mean_k + of_pair * D, pairs * of.key_blocks * D, first, of.key_blocks);
    stage_rows<32 * WARPS, 32, PLANES_V, DV>(v, mean_v + of_pair * DV, pairs * of.key_blocks * DV, first,
                                             of.key_blocks);
    __syncthreads();
    const u32 members = row.shift == -infinity() ? 0 : of.members(i, first / 32);
    if (members == 0)
      continue;
    // Without a branch: lanes have to be together where they exchange weights.
    const bool member = (members >> lane() & 1) != 0;
    const float product = staged_product<D>(q + warp() * (D + 1), k + lane() * (D + 1));
    const float d_p = staged_product<DV>(d_o + warp() * (DV + 1), v + lane() * (DV + 1)) - row.sum;
    const float weight = member ? of.weight(first + lane()) : 0.0f;
    const float p = exp2_approx(fmaf(product, unit, row.shift) + (weight + row.rest));
    const float change = member ? p * d_p * natural : 0.0f;
    acc.add(change, k);
  }
  if (has_row)
    acc.template store<WIDTH>(to + line * WIDTH);
}

/// By the means of key blocks WARPS part .. of pair g, over its query heads in their order, to [g][key blocks][WIDTH_K] and [WIDTH_V].
template <int WARPS, int D, int DV, int WIDTH_K, int WIDTH_V, int PLANES_K, int PLANES_V, int BLOCK_Q, int BLOCK_K,
          int SHARED, class Element>
TERCET_DEVICE void mean_key_gradient(u8 *shared, index part, index g, index pairs, const float *mean_q,
                                     const Element *mean_k, const Element *mean_v, const i32 *bits, double scale,
                                     const i32 *key_lengths, index key_heads, index heads_per_key_head, index rows,
                                     index keys, index first_pair, const float *gradients, const float *states,
                                     float *to_k, float *to_v) {
  static_assert(mean_pairs_bytes<WARPS, D, DV>() <= SHARED, "rows and tiles fit");
  float *q = reinterpret_cast<float *>(shared), *d_o = q + staged_floats<D>(32), *k = d_o + staged_floats<DV>(32),
        *v = k + staged_floats<D>(WARPS);
  const index j = part * WARPS + warp(), key_blocks = ceil_div(keys, BLOCK_K), query_blocks = ceil_div(rows, BLOCK_Q);
  const float unit = static_cast<float>(scale * 1.4426950408889634), natural = static_cast<float>(scale);
  stage_rows<32 * WARPS, WARPS, PLANES_K, D>(k, mean_k + g * key_blocks * D, pairs * key_blocks * D, part * WARPS,
                                             key_blocks);
  stage_rows<32 * WARPS, WARPS, PLANES_V, DV>(v, mean_v + g * key_blocks * DV, pairs * key_blocks * DV, part * WARPS,
                                              key_blocks);
  LaneColumns<D> of_k = {};
  LaneColumns<DV> of_v = {};
  for (index gr = g * heads_per_key_head; gr < (g + 1) * heads_per_key_head; ++gr) {
    const MeanHead<BLOCK_Q, BLOCK_K, false> of(gr, bits, key_lengths, key_heads, heads_per_key_head, rows, keys,
                                               first_pair);
    for (index first = 0; first < query_blocks; first += 32) {
      __syncthreads();
      stage_rows<32 * WARPS, 32, 1, D>(q, mean_q + gr * query_blocks * D, 0, first, query_blocks);
      stage_rows<32 * WARPS, 32, 1, DV>(d_o, gradients + gr * query_blocks * DV, 0, first, query_blocks);
      __syncthreads();
      const index i = first + lane();
      const bool marginal = j < key_blocks && i < query_blocks && (of.members(i, j / 32) >> (j % 32) & 1) != 0;
      MeanRow row = {-infinity(), 0, 0};
      if (marginal)
        row = load_mean_row(states, gr * query_blocks + i);
      const bool member = row.shift != -infinity();
      const float product = staged_product<D>(q + lane() * (D + 1), k + warp() * (D + 1));
      const float d_p = staged_product<DV>(d_o + lane() * (DV + 1), v + warp() * (DV + 1)) - row.sum;
      const float weight = marginal ? of.weight(j) : 0.0f;
      const float power = exp2_approx(fmaf(product, unit, row.shift) + (weight + row.rest));
      const float p = member ? power : 0.0f, change = member ? power * d_p * natural : 0.0f;
      of_k.add(change, q);
      of_v.add(p, d_o);
    }
  }
  if (j >= key_blocks)
    return;
  of_k.template store<WIDTH_K>(to_k + (g * key_blocks + j) * WIDTH_K);
  of_v.template store<WIDTH_V>(to_v + (g * key_blocks + j) * WIDTH_V);
}

} // namespace tercet::dev
