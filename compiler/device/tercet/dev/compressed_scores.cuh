// Shares of blocks from a softmax over pools of keys (docs/spec.md#compressed_scores): some queries against all pools, twice: once for the
// largest score and the sum of every query, once for its shares, which are shared out over the blocks that hold tokens of a pool.
#pragma once

#include "tercet/dev/sampled_scores.cuh"

namespace tercet::dev {

/// Queries of a tile of scores: those of whole blocks, 64 where these divide it, or a part of a block; by 64 pools.
template <class ELEMENT, int D, int BLOCK_Q> struct PoolShape {
  using Element = ELEMENT;
  enum : int {
    blocks = BLOCK_Q < 64 ? 64 / BLOCK_Q : 1,
    rows = BLOCK_Q < 64 ? blocks * BLOCK_Q : 64,
    parts = (BLOCK_Q + 63) / 64, ///< tiles of a block
    cols = 64,
    threads = 2 * rows,
    depth = 128 / sizeof(Element),
    stride = depth + 16 / sizeof(Element),
    row_bytes = 128 + 16,
    steps = (D + depth - 1) / depth,
    slot_bytes = (rows + cols) * row_bytes,
    bytes = 2 * slot_bytes, ///< more than a tile of shares takes, which lies there between steps
  };
  static_assert(rows % 16 == 0 && 4 * rows * (cols + 1) <= bytes, "a tile of shares fits");
};

/// The bits of 32 pools that a warp has, to a row of them; row: of all heads, pools: of a row.
TERCET_DEVICE void store_seen(i32 *seen, index row, index pools, index pool, bool sees) {
  const u32 bits = __ballot_sync(whole_warp, sees);
  if (lane() == 0 && pool < pools)
    seen[row * ceil_div(pools, 32) + pool / 32] = static_cast<i32>(bits);
}

/// The rows of a tile that belong to a block: `count` of them from `first` on, in a block of `all` live ones.
struct BlockRows {
  int first, count, all;
};

/// Those of block a of the tile, whose rows are a part of it from row `done` on where it has several tiles.
template <class Shape, int BLOCK_Q> TERCET_DEVICE BlockRows rows_of_block(int a, int done, int live) {
  const int all = live - a * BLOCK_Q < BLOCK_Q ? live - a * BLOCK_Q : BLOCK_Q;
  const int left = all - done;
  return {a * BLOCK_Q, left < Shape::rows ? left : static_cast<int>(Shape::rows), all};
}

/// Shares a tile of weights of queries and pools first_pool .. out over the key blocks of the query blocks in it. done: as in
/// rows_of_block; live: queries from the first block on.
template <class Shape, int LENGTH, int STRIDE, int BLOCK_Q, int BLOCK_K>
TERCET_DEVICE void add_pool_shares(const float *weights, int first_pool, int pools, int live_keys, int done, int live,
                                   index key_blocks, float *shares) {
  const int end_pool = pools - first_pool < Shape::cols ? pools : first_pool + Shape::cols;
  const int last_key = (end_pool - 1) * STRIDE + LENGTH < live_keys ? (end_pool - 1) * STRIDE + LENGTH : live_keys;
  const int first_block = first_pool * STRIDE / BLOCK_K, blocks = (last_key - 1) / BLOCK_K + 1 - first_block;
  for (int pair = static_cast<int>(threadIdx.x); pair < Shape::blocks * blocks; pair += Shape::threads) {
    const int a = pair / blocks, j = first_block + pair % blocks;
    const BlockRows rows = rows_of_block<Shape, BLOCK_Q>(a, done, live);
    if (rows.count <= 0)
      continue;
    const int begin = j * BLOCK_K, end = begin + BLOCK_K;
    const int from = begin < LENGTH ? 0 : (begin - LENGTH) / STRIDE + 1, to = (end - 1) / STRIDE + 1;
    float sum = 0;
    for (int c = from < first_pool ? first_pool : from; c < to && c < end_pool; ++c) {
      const int first = c * STRIDE, tokens = live_keys - first < LENGTH ? live_keys - first : LENGTH;
      const int inside = (first + tokens < end ? first + tokens : end) - (first > begin ? first : begin);
      float of_pool = 0;
      for (int r = 0; r < rows.count; ++r)
        of_pool += weights[(rows.first + r) * (Shape::cols + 1) + c - first_pool];
      sum += of_pool * (static_cast<float>(inside) / static_cast<float>(tokens));
    }
    shares[a * key_blocks + j] += sum / static_cast<float>(rows.all);
  }
}

/// Query blocks of part `part` of head gr: shares [gr][query blocks][key blocks], 0 where nothing is seen. pools: [g][pools of all keys][D].
/// seen: null without SEEN, or a bit per pool, [gr][rows][words of 32]. THREADS: Shape::threads.
template <class Element, int D, int LENGTH, int STRIDE, int BLOCK_Q, int BLOCK_K, bool SEEN, int SHARED>
TERCET_DEVICE void compressed_scores(u8 *shared, index part, index gr, Element *q, index q_batch, index q_head,
                                     index q_row, Element *pools, const i32 *query_lengths, const i32 *key_lengths,
                                     index key_heads, index heads_per_key_head, index rows, index keys,
                                     index first_pair, double scale, const i32 *seen, float *shares) {
  using Shape = PoolShape<Element, D, BLOCK_Q>;
  using Scores = Tile<16, Shape::cols>;
  static_assert(Shape::bytes <= SHARED, "two steps fit");
  const HeadRows<BLOCK_Q, BLOCK_K> of(gr, query_lengths, key_lengths, key_heads, heads_per_key_head, rows, keys,
                                      first_pair);
  const index first_block = part * Shape::blocks, first_row = first_block * BLOCK_Q;
  if (first_row >= of.live_rows)
    return;
  const int all_pools = static_cast<int>(ceil_div(keys, STRIDE)), words = (all_pools + 31) / 32;
  const int live_pools = static_cast<int>(ceil_div(of.live_keys, STRIDE)), tiles = (live_pools + 63) / 64;
  const int live_keys = static_cast<int>(of.live_keys), live = static_cast<int>(of.live_rows - first_row);
  const SparseTokens<Element> queries = {q + head_offset(of.head.batch, q_batch, of.head.query_head, q_head), q_row, 0,
                                         of.live_rows};
  const SparseTokens<Element> keys_of_head = {pools + of.g * all_pools * D, D, 0, live_pools};
  const float factor = static_cast<float>(scale * 1.4426950408889634);
  const int warp_row = static_cast<int>(16 * warp() + Scores::first_row());
  float *weights = reinterpret_cast<float *>(shared);
  float *own = shares + of.line(first_block) * of.key_blocks;
  const index owned = smaller(Shape::blocks, of.query_blocks - first_block) * of.key_blocks;
  for (index i = threadIdx.x; i < owned; i += Shape::threads)
    own[i] = 0;
  __syncthreads();

#pragma unroll 1
  for (int done = 0; done < BLOCK_Q && done < live; done += Shape::rows) {
    Tile<16, 1> most = splat<16, 1>(-infinity()), total = splat<16, 1>(0.0f);
#pragma unroll 1
    for (int step = 0; step < 2 * tiles; ++step) {
      const bool counting = step < tiles;
      const int first_pool = 64 * (counting ? step : step - tiles);
      // Bits of the pools that take part, of either row of the thread.
      u32 bits[2][2];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int row = done + warp_row + 8 * half;
#pragma unroll
        for (int word = 0; word < 2; ++word) {
          const int at = first_pool / 32 + word, left = live_pools - 32 * at;
          bits[half][word] = row >= live || left <= 0 ? 0u : left >= 32 ? ~0u : (1u << left) - 1;
          if (SEEN && bits[half][word] != 0)
            bits[half][word] &= static_cast<u32>(seen[(gr * rows + first_row + row) * words + at]);
        }
      }
      if (SEEN && !__syncthreads_or((bits[0][0] | bits[0][1] | bits[1][0] | bits[1][1]) != 0))
        continue;
      Scores scores = score_groups<Shape, D, 1>(shared, queries, keys_of_head, first_row + done, first_pool);
      // In units of log 2; -infinity where a pool takes no part or the score is NaN.
#pragma unroll
      for (int i = 0; i < Scores::size; ++i) {
        const u32 word = bits[scores.row_of(i)][i / 16]; // a thread has 16 elements of 32 columns
        const bool takes = (word >> (scores.col_of(i) % 32) & 1) != 0;
        const float score = scores.at[i] * factor;
        scores.at[i] = takes && score == score ? score : -infinity();
      }
      if (counting) {
        const Tile<16, 1> here = reduce_max(scores);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const float larger_one = fmaxf(most.at[half], here.at[half]);
          total.at[half] *= weight_below(most.at[half], larger_one);
          most.at[half] = larger_one;
        }
      }
#pragma unroll
      for (int i = 0; i < Scores::size; ++i)
        scores.at[i] = weight_below(scores.at[i], most.at[scores.row_of(i)]);
      if (counting) {
        const Tile<16, 1> more = reduce_add(scores);
        total.at[0] += more.at[0];
        total.at[1] += more.at[1];
        continue;
      }
      const float units[2] = {total.at[0] > 0 ? 1 / total.at[0] : 0.0f, total.at[1] > 0 ? 1 / total.at[1] : 0.0f};
#pragma unroll
      for (int i = 0; i < Scores::size; ++i)
        weights[(warp_row + 8 * scores.row_of(i)) * (Shape::cols + 1) + scores.col_of(i)] =
            scores.at[i] * units[scores.row_of(i)];
      __syncthreads();
      add_pool_shares<Shape, LENGTH, STRIDE, BLOCK_Q, BLOCK_K>(weights, first_pool, live_pools, live_keys, done, live,
                                                               of.key_blocks, own);
      __syncthreads();
    }
  }
}

} // namespace tercet::dev
