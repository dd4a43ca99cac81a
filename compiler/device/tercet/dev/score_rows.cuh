// Where the scores of block pairs come from, and rows of scores turned into rows of keys.
#pragma once

#include "tercet/dev/keep_rule.cuh"

namespace tercet::dev {

/// mean_q . mean_k * scale: means of ROWS query blocks in shared memory, of key blocks [D][key blocks].
template <int ROWS, int D> struct PooledScores {
  const float *mean_q, *mean_k;
  float scale;

  TERCET_DEVICE void fill(u32 *to, int base, int count, index key_blocks) const {
    for (index j = threadIdx.x; j < key_blocks; j += 32 * ROWS) {
      float sums[ROWS] = {};
#pragma unroll 4
      for (int d = 0; d < D; ++d) {
        const float x = mean_k[d * key_blocks + j];
#pragma unroll
        for (int r = 0; r < ROWS; ++r)
          if (r < count)
            sums[r] = fmaf(mean_q[(base + r) * D + d], x, sums[r]);
      }
#pragma unroll
      for (int r = 0; r < ROWS; ++r)
        if (r < count)
          to[r * key_blocks + j] = __float_as_uint(sums[r] * scale);
    }
  }
};

/// Scores in memory; from: of the first row.
template <int ROWS> struct StoredScores {
  const float *from;
  index row_stride, col_stride;

  TERCET_DEVICE void fill(u32 *to, int base, int count, index key_blocks) const {
    for (int r = 0; r < count; ++r)
      for (index j = threadIdx.x; j < key_blocks; j += 32 * ROWS)
        to[r * key_blocks + j] = __float_as_uint(from[(base + r) * row_stride + j * col_stride]);
  }
};

/// The mean share of the heads that share a key head; from: shares [heads][query blocks][key blocks], at the first row.
template <int ROWS> struct GroupShares {
  const float *from;
  index head_stride;
  int heads;

  TERCET_DEVICE void fill(u32 *to, int base, int count, index key_blocks) const {
    for (index i = threadIdx.x; i < count * key_blocks; i += 32 * ROWS) {
      float sum = 0;
      for (int r = 0; r < heads; ++r)
        sum += from[r * head_stride + base * key_blocks + i];
      to[i] = __float_as_uint(sum / static_cast<float>(heads));
    }
  }
};

/// Where scores come from: block means, mean_q [gr][query blocks][D] and mean_k [g][D][key blocks], times scale; element (b,
/// h, i, j) of `stored`, with four strides; `stored` [gr][query blocks][key blocks]; or its means over heads.
enum : int { from_means = 0, from_table = 1, from_workspace = 2, from_heads = 3 };

struct ScoreInputs {
  const float *mean_q, *mean_k;
  double scale;
  const float *stored;
  index batch_stride, head_stride, row_stride, col_stride;
};

/// Keys that fit beside each other into shared memory.
enum : int { select_keys = 16384 };
/// Shared memory of rows of scores in bytes; D: 0 without block means. FITS: rows are kept there where they fit.
template <int ROWS, int D, bool FITS> constexpr int score_bytes = 4 * (ROWS * D + (FITS ? select_keys : 0));

/// The source of the rows from first_row on; means: shared memory of ROWS x D floats, of which the block means of queries are
/// ready once all threads have met.
template <int SOURCE, int ROWS, int D, class Of>
TERCET_DEVICE auto score_source(float *means, const Of &of, index first_row, int heads, const ScoreInputs &in) {
  if constexpr (SOURCE == from_means) {
    for (int i = static_cast<int>(threadIdx.x); i < ROWS * D; i += 32 * ROWS)
      means[i] = first_row + i / D < of.query_blocks ? in.mean_q[of.line(first_row) * D + i] : 0.0f;
    return PooledScores<ROWS, D>{means, in.mean_k + of.g * D * of.key_blocks, static_cast<float>(in.scale)};
  } else if constexpr (SOURCE == from_heads) {
    return GroupShares<ROWS>{in.stored + (of.g * heads * of.query_blocks + first_row) * of.key_blocks,
                             of.query_blocks * of.key_blocks, heads};
  } else if constexpr (SOURCE == from_workspace) {
    return StoredScores<ROWS>{in.stored + of.line(first_row) * of.key_blocks, of.key_blocks, 1};
  } else {
    return StoredScores<ROWS>{in.stored + of.head.batch * in.batch_stride + of.head.query_head * in.head_stride +
                                  first_row * in.row_stride,
                              in.row_stride, in.col_stride};
  }
}

/// Query blocks first_row .. first_row + ROWS - 1 of a head, as far as there are any: their scores as bits of f32;
/// body(row, scores) runs in the warp of each row and may change them. Rows lie in shared memory, as many at a time as fit
/// there, or else in `spare` [gr][query blocks][key blocks]; unless FITS all of them. heads: that share a key head.
template <int SOURCE, int ROWS, int D, bool FITS, class Of, class Body>
TERCET_DEVICE void each_row(u8 *shared, float *spare, const Of &of, index first_row, int heads, const ScoreInputs &in,
                            Body body) {
  float *means = reinterpret_cast<float *>(shared);
  const auto source = score_source<SOURCE, ROWS, D>(means, of, first_row, heads, in);
  const bool fits = FITS && of.key_blocks <= select_keys;
  const index left = of.query_blocks - first_row;
  int together = ROWS;
  while (fits && together * of.key_blocks > select_keys)
    together /= 2;
  __syncthreads();
  for (int base = 0; base < ROWS && base < left; base += together) {
    u32 *rows = fits ? reinterpret_cast<u32 *>(means + ROWS * D)
                     : reinterpret_cast<u32 *>(spare) + (of.line(first_row) + base) * of.key_blocks;
    const int count = static_cast<int>(smaller(together, left - base));
    source.fill(rows, base, count, of.key_blocks);
    __syncthreads();
    if (const int r = static_cast<int>(warp()); r < count)
      body(first_row + base + r, rows + r * of.key_blocks);
    __syncthreads();
  }
}

} // namespace tercet::dev
