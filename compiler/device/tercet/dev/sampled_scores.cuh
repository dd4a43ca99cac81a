// Shares of blocks from anti-diagonals (docs/spec.md#sampled_scores): groups of S queries against groups of S keys.
//
// The score of a pair of groups is a sum over t of products of single tokens, so a tile of scores is a sum of products of
// tiles that take every S-th token. A block of threads has whole query blocks and goes over the keys twice, in tiles of whole
// key blocks: once for the largest score and the sum of every query group, once for the shares.
#pragma once

#include "tercet/dev/copy_ring.cuh"
#include "tercet/dev/fma_product.cuh"
#include "tercet/dev/group.cuh"
#include "tercet/dev/row_blocks.cuh"
#include "tercet/dev/warp_product.cuh"

namespace tercet::dev {

/// Groups of a tile along one axis: those of whole blocks, some 64 where blocks are short, or of a part of a block; padded to
/// what a product takes.
template <int BLOCK, int S, int MOST> struct GroupTile {
  enum : int {
    per_block = BLOCK / S,
    parts = (per_block + MOST - 1) / MOST, ///< tiles of a block
    blocks = per_block < 64 ? 64 / per_block : 1,
    live = blocks * per_block / parts,
    size = (live + 15) / 16 * 16,
  };
  static_assert(per_block % parts == 0, "the tiles of a block are equal");
};

template <class ELEMENT, int D, int S, int BLOCK_Q, int BLOCK_K> struct SampledShape {
  using Element = ELEMENT;
  using Queries = GroupTile<BLOCK_Q, S, 128>;
  using Keys = GroupTile<BLOCK_K, S, 64>;
  enum : int {
    rows = Queries::size,
    cols = Keys::size,
    threads = 2 * rows,
    depth = 128 / sizeof(Element),         ///< columns of a step: 128 bytes of a token
    stride = depth + 16 / sizeof(Element), ///< rows of neighbouring tokens lie in different banks
    row_bytes = 128 + 16,
    steps = (D + depth - 1) / depth * S, ///< of a tile of scores
    slot_bytes = (rows + cols) * row_bytes,
    bytes = 2 * slot_bytes, ///< more than a tile of shares takes, which lies there between steps
  };
  static_assert(4 * rows * (cols + 1) <= bytes, "a tile of shares fits");
};

/// Every S-th token of a head, from `first` on: where they lie, and how many of them are live.
template <class Element> struct SparseTokens {
  const Element *base;
  index stride, first, live;
};

/// 128 bytes of ROWS such tokens from number `row` on, at column `col`; what is not live or beyond D becomes 0.
template <int S, int D, int ROWS, int THREADS, class Element>
TERCET_DEVICE void copy_tokens(u32 to, const SparseTokens<Element> &from, index row, int col) {
  constexpr int chunk = 16 / sizeof(Element);
#pragma unroll 4
  for (int i = static_cast<int>(threadIdx.x); i < ROWS * 8; i += THREADS) {
    const index token = (row + i / 8) * S + from.first;
    const int c = col + i % 8 * chunk;
    const bool live = token < from.live && c < D;
    copy_chunk_if(to + i / 8 * (128 + 16) + i % 8 * 16, from.base + (live ? token * from.stride + c : 0), live);
  }
}

/// What a score weighs against the largest of its row, in units of 2: the limits of select for what is not finite.
TERCET_DEVICE float weight_below(float score, float top) {
  return score == top && top > -infinity() ? 1.0f : score > -infinity() ? exp2_approx(score - top) : 0.0f;
}

/// The tile of scores of one warp: rows row .. row + 15 of its block's groups from query group `first` on, against key groups
/// from key_group on.
template <class Shape, int D, int S>
TERCET_DEVICE Tile<16, Shape::cols> score_groups(u8 *shared, SparseTokens<typename Shape::Element> queries,
                                                 SparseTokens<typename Shape::Element> keys, index first,
                                                 index key_group) {
  using Element = typename Shape::Element;
  const u32 base = shared_address(shared);
  const auto fill = [&](int step) {
    const int t = step % S, col = step / S * Shape::depth;
    const u32 slot = base + step % 2 * Shape::slot_bytes;
    queries.first = S - 1 - t;
    keys.first = t;
    copy_tokens<S, D, Shape::rows, Shape::threads>(slot, queries, first, col);
    copy_tokens<S, D, Shape::cols, Shape::threads>(slot + Shape::rows * Shape::row_bytes, keys, key_group, col);
    commit_copies();
  };
  Tile<16, Shape::cols> sum = splat<16, Shape::cols>(0.0f);
  fill(0);
#pragma unroll 1
  for (int step = 0; step < Shape::steps; ++step) {
    drain_copies();
    __syncthreads();
    if (step + 1 < Shape::steps)
      fill(step + 1);
    const u32 slot = base + step % 2 * Shape::slot_bytes;
    const PlainTile<Element, 16, Shape::depth, Shape::stride> left = {slot + 16 * warp() * Shape::row_bytes};
    const PlainTile<Element, Shape::cols, Shape::depth, Shape::stride> right = {slot + Shape::rows * Shape::row_bytes};
    sum = matmul_transposed<Shape::depth>(left, right, sum);
  }
  __syncthreads();
  return sum;
}

template <class Of> TERCET_DEVICE bool is_empty_at(const Of &of, const i8 *rules, index i, index j) {
  return i < of.query_blocks && (rules[of.line(i) * of.key_blocks + j] & rule_empty) != 0;
}

/// Sums a tile of shares of groups over its blocks. Where a block has several tiles, a thread meets it in all of them.
template <class Shape, int S, class Of>
TERCET_DEVICE void add_shares(const float *weights, const Of &of, index first_block, index row_groups, int tile,
                              float *shares, const i32 *query_counts) {
  using Queries = typename Shape::Queries;
  using Keys = typename Shape::Keys;
  for (int pair = static_cast<int>(threadIdx.x); pair < Queries::blocks * Keys::blocks; pair += Shape::threads) {
    const int a = pair / Keys::blocks, b = pair % Keys::blocks;
    const index i = first_block + a, j = tile / Keys::parts * Keys::blocks + b;
    int groups = static_cast<int>(smaller(row_groups - i * Queries::per_block, Queries::per_block));
    if (groups > 0 && query_counts != nullptr)
      groups = (query_counts[of.head.batch * of.query_blocks + i] + S - 1) / S;
    if (groups <= 0 || j >= of.key_blocks)
      continue;
    float sum = 0;
    for (int r = 0; r < groups; ++r)
      for (int c = 0; c < Keys::per_block / Keys::parts; ++c)
        sum += weights[(a * Queries::per_block + r) * (Shape::cols + 1) + b * Keys::per_block + c];
    float &share = shares[of.line(i) * of.key_blocks + j];
    share = (tile % Keys::parts == 0 ? 0.0f : share) + sum / static_cast<float>(groups);
  }
}

/// Query blocks of part `part` of head gr: shares [gr][query blocks][key blocks]; those of empty blocks are not written.
/// scale is that of a score. TILES: tokens are places of a token order, of which blocks have as many as counts say. THREADS:
/// Shape::threads.
template <class Element, int D, int S, int BLOCK_Q, int BLOCK_K, bool RULES, int SHARED, bool TILES = false>
TERCET_DEVICE void
sampled_scores(u8 *shared, index part, index gr, Element *q, index q_batch, index q_head, index q_row, Element *k,
               index k_batch, index k_head, index k_row, const i32 *query_lengths, const i32 *key_lengths,
               index key_heads, index heads_per_key_head, index rows, index keys, index first_pair, double scale,
               const i8 *rules, float *shares, const i32 *query_counts = nullptr, const i32 *key_counts = nullptr) {
  using Shape = SampledShape<Element, D, S, BLOCK_Q, BLOCK_K>;
  using Queries = typename Shape::Queries;
  using Keys = typename Shape::Keys;
  using Scores = Tile<16, Shape::cols>;
  static_assert(Shape::bytes <= SHARED, "two steps fit");
  const HeadRows<BLOCK_Q, BLOCK_K> of(gr, query_lengths, key_lengths, key_heads, heads_per_key_head, rows, keys,
                                      first_pair);
  const index first_block = part * Queries::blocks, first = first_block * Queries::per_block;
  const index row_groups = ceil_div(of.live_rows, S), col_groups = ceil_div(of.live_keys, S);
  if (first >= row_groups)
    return;
  const SparseTokens<Element> query_tokens = {q + head_offset(of.head.batch, q_batch, of.head.query_head, q_head),
                                              q_row, 0, of.live_rows};
  const SparseTokens<Element> key_tokens = {k + head_offset(of.head.batch, k_batch, of.head.key_head, k_head), k_row, 0,
                                            of.live_keys};
  const float factor = static_cast<float>(scale * 1.4426950408889634 / S);
  const int warp_row = static_cast<int>(16 * warp() + Scores::first_row());
  float *weights = reinterpret_cast<float *>(shared);
  Tile<16, 1> top = splat<16, 1>(-infinity()), sum = splat<16, 1>(0.0f);

  const int tiles = static_cast<int>(ceil_div(col_groups, Keys::live));
#pragma unroll 1
  for (int step = 0; step < 2 * tiles; ++step) {
    const bool counting = step < tiles;
    const int tile = counting ? step : step - tiles, key_group = tile * Keys::live;
    Scores scores = score_groups<Shape, D, S>(shared, query_tokens, key_tokens, first, key_group);
    // In units of log 2; -infinity where a group is not live, its block is empty or its score is NaN.
    const int left = static_cast<int>(smaller(col_groups - key_group, Keys::live));
#pragma unroll
    for (int i = 0; i < Scores::size; ++i) {
      const int col = static_cast<int>(scores.col_of(i)), row = warp_row + 8 * scores.row_of(i);
      bool live = col < left;
      if (TILES)
        live = live && (key_group + col) % Keys::per_block * S <
                           key_counts[of.head.batch * of.key_blocks + (key_group + col) / Keys::per_block];
      if (RULES)
        live = live && row < Queries::live &&
               !is_empty_at(of, rules, first_block + row / Queries::per_block, (key_group + col) / Keys::per_block);
      const float score = scores.at[i] * factor;
      scores.at[i] = live && score == score ? score : -infinity();
    }
    if (counting) {
      const Tile<16, 1> here = reduce_max(scores);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const float higher = fmaxf(top.at[half], here.at[half]);
        sum.at[half] *= weight_below(top.at[half], higher);
        top.at[half] = higher;
      }
    }
#pragma unroll
    for (int i = 0; i < Scores::size; ++i)
      scores.at[i] = weight_below(scores.at[i], top.at[scores.row_of(i)]);
    if (counting) {
      const Tile<16, 1> more = reduce_add(scores);
      sum.at[0] += more.at[0];
      sum.at[1] += more.at[1];
      continue;
    }
    const float parts[2] = {sum.at[0] > 0 ? 1 / sum.at[0] : 0.0f, sum.at[1] > 0 ? 1 / sum.at[1] : 0.0f};
#pragma unroll
    for (int i = 0; i < Scores::size; ++i)
      weights[(warp_row + 8 * scores.row_of(i)) * (Shape::cols + 1) + scores.col_of(i)] =
          scores.at[i] * parts[scores.row_of(i)];
    __syncthreads();
    add_shares<Shape, S>(weights, of, first_block, row_groups, tile, shares, query_counts);
    __syncthreads();
  }
}

} // namespace tercet::dev
