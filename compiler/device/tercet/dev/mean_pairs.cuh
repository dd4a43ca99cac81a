// Query blocks and the means of their marginal key blocks (docs/spec.md#block_mean), in f32: a row of one side per warp, 32 of the other
// at a time, a lane each where scores are made and a column each where these weigh rows.
#pragma once

#include "tercet/dev/global.cuh"
#include "tercet/dev/group.cuh"
#include "tercet/dev/mean_weights.cuh"

namespace tercet::dev {

/// Rows of a tile in shared memory lie so that 32 lanes read a column of them at once.
template <int COLS> TERCET_DEVICE constexpr int staged_floats(int rows) { return rows * (COLS + 1); }

/// Shared memory of blocks of WARPS rows against tiles of 32, in bytes.
template <int WARPS, int D, int DV> TERCET_DEVICE constexpr int mean_pairs_bytes() {
  return 4 * (staged_floats<D>(WARPS + 32) + staged_floats<DV>(WARPS + 32));
}

/// Rows first .. first + ROWS - 1 of `from` [PLANES][..][COLS], the sums of their planes, by all threads; 0 at or beyond `count`.
template <int THREADS, int ROWS, int PLANES, int COLS, class Element>
TERCET_DEVICE void stage_rows(float *to, const Element *from, index plane, index first, index count) {
  for (int at = static_cast<int>(threadIdx.x); at < ROWS * COLS; at += THREADS) {
    const int row = at / COLS, col = at % COLS;
    float sum = 0;
    if (first + row < count)
#pragma unroll
      for (int p = 0; p < PLANES; ++p)
        sum += to_float(from[p * plane + (first + row) * COLS + col]);
    to[row * (COLS + 1) + col] = sum;
  }
}

template <int COLS> TERCET_DEVICE float staged_product(const float *a, const float *b) {
  float sum = 0;
#pragma unroll 8
  for (int c = 0; c < COLS; ++c)
    sum = fmaf(a[c], b[c], sum);
  return sum;
}

/// The columns of a row that lanes have, every 32nd.
template <int COLS> struct LaneColumns {
  enum : int { size = (COLS + 31) / 32 };
  float at[size];

  /// Adds the rows of a tile, lane j's weight times row j.
  TERCET_DEVICE void add(float weight, const float *tile) {
#pragma unroll 4
    for (int j = 0; j < 32; ++j) {
      const float of_row = __shfl_sync(whole_warp, weight, j);
#pragma unroll
      for (int i = 0; i < size; ++i)
        if (const int c = 32 * i + static_cast<int>(lane()); c < COLS)
          at[i] = fmaf(of_row, tile[j * (COLS + 1) + c], at[i]);
    }
  }
  TERCET_DEVICE void scale(float factor) {
#pragma unroll
    for (int i = 0; i < size; ++i)
      at[i] *= factor;
  }
  /// With 0 up to WIDTH columns.
  template <int WIDTH> TERCET_DEVICE void store(float *row) const {
#pragma unroll
    for (int i = 0; i < (WIDTH + 31) / 32; ++i)
      if (const int c = 32 * i + static_cast<int>(lane()); c < WIDTH)
        row[c] = i < size && c < COLS ? at[i < size ? i : 0] : 0.0f;
  }
};

/// What scores of a head's blocks follow from. bits [gr][query blocks][words]; key_lengths: of batches, or under TILES of blocks.
template <int BLOCK_Q, int BLOCK_K, bool TILES> struct MeanHead {
  GroupHead head;
  index gr, g, query_blocks, key_blocks, live_keys, keys;
  const i32 *bits, *key_lengths;

  TERCET_DEVICE MeanHead(index gr, const i32 *bits, const i32 *key_lengths, index key_heads, index heads_per_key_head,
                         index rows, index keys, index first_pair)
      : head(group_head(gr, first_pair, key_heads, heads_per_key_head)), gr(gr), g(quotient(gr, heads_per_key_head)),
        query_blocks(ceil_div(rows, BLOCK_Q)), key_blocks(ceil_div(keys, BLOCK_K)),
        live_keys(TILES ? keys : live_tokens(key_lengths, head.batch, keys)), keys(keys), bits(bits),
        key_lengths(key_lengths) {}

  /// The bits of key blocks 32 word .. of a query block.
  TERCET_DEVICE u32 members(index i, index word) const {
    return static_cast<u32>(bits[(gr * query_blocks + i) * 2 * ceil_div(key_blocks, 64) + word]);
  }
  /// log2 of the tokens of a key block that has some.
  TERCET_DEVICE float weight(index j) const {
    return mean_weight<BLOCK_K>(TILES ? key_lengths[head.batch * key_blocks + j] : live_keys - j * BLOCK_K);
  }
};

/// Query blocks WARPS part .. of head gr: the softmax over these means, as an earlier stage keeps it (kept_rows.cuh). mean_q
/// [gr][query blocks][D]; mean_k, mean_v [PLANES][pair of the group][key blocks][columns].
template <int WARPS, int D, int DV, int WIDTH, int PLANES_K, int PLANES_V, int BLOCK_Q, int BLOCK_K, bool TILES,
          int SHARED, class Element>
TERCET_DEVICE void attend_means(u8 *shared, index part, index gr, index pairs, const float *mean_q,
                                const Element *mean_k, const Element *mean_v, const i32 *bits, double scale,
                                const i32 *key_lengths, index key_heads, index heads_per_key_head, index rows,
                                index keys, index first_pair, float *numerators, float *state) {
  static_assert(mean_pairs_bytes<WARPS, D, DV>() <= SHARED, "rows and tiles fit");
  const MeanHead<BLOCK_Q, BLOCK_K, TILES> of(gr, bits, key_lengths, key_heads, heads_per_key_head, rows, keys,
                                             first_pair);
  float *k = reinterpret_cast<float *>(shared), *v = k + staged_floats<D>(32), *q = v + staged_floats<DV>(32);
  const index i = part * WARPS + warp(), line = gr * of.query_blocks + i;
  const bool has_row = i < of.query_blocks;
  const float unit = static_cast<float>(scale * 1.4426950408889634);
  stage_rows<32 * WARPS, WARPS, 1, D>(q, mean_q + gr * of.query_blocks * D, 0, part * WARPS, of.query_blocks);
  LaneColumns<DV> acc = {};
  float top = -infinity(), sum = 0;
  for (index first = 0; first < of.key_blocks; first += 32) {
    const index of_pair = of.g * of.key_blocks;
    __syncthreads();
    stage_rows<32 * WARPS, 32, PLANES_K, D>(k, mean_k + of_pair * D, pairs * of.key_blocks * D, first, of.key_blocks);
    stage_rows<32 * WARPS, 32, PLANES_V, DV>(v, mean_v + of_pair * DV, pairs * of.key_blocks * DV, first,
                                             of.key_blocks);
    __syncthreads();
    const u32 members = has_row ? of.members(i, first / 32) : 0;
    if (members == 0)
      continue;
    const bool member = (members >> lane() & 1) != 0;
    const float product = staged_product<D>(q + warp() * (D + 1), k + lane() * (D + 1));
    const float weight = member ? of.weight(first + lane()) : 0.0f, score = fmaf(product, unit, weight);
    const float higher = fmaxf(top, warp_max(!member ? -infinity() : score != score ? 0.0f : score));
    if (higher == -infinity()) // all of these weigh nothing
      continue;
    const float kept = exp2_approx(top - higher),
                p = member ? exp2_approx(fmaf(product, unit, -higher) + weight) : 0.0f;
    top = higher;
    sum = fmaf(sum, kept, p);
    acc.scale(kept);
    acc.add(p, v);
  }
  if (!has_row)
    return;
  acc.template store<WIDTH>(numerators + line * WIDTH);
  sum = warp_add(sum);
  if (lane() == 0) {
    state[2 * line] = top;
    state[2 * line + 1] = sum;
  }
}

} // namespace tercet::dev
