// Gradients of the weights of pools: a share per pair and token of a pool, and sums of these.
#pragma once

#include "tercet/dev/group.cuh"
#include "tercet/dev/number.cuh"
#include "tercet/dev/thread.cuh"

namespace tercet::dev {

/// shares[pair][at]: the sum over the pools of pair `group` of a group, of the product of a pool's gradient, in rows of WIDTH, with its token
/// `at`. Warps take every so many pools each; their sums add up in order. lengths: of batches, or null; under TILES the tokens of
/// pools.
template <int THREADS, class Element, int COLS, int WIDTH, int LENGTH, int STRIDE, bool TILES>
TERCET_DEVICE void pool_weight_shares(u8 *shared, index at, index group, const Element *tokens, index batch_stride,
                                      index head_stride, index row_stride, const i32 *lengths, index key_heads,
                                      index count, index first_pair, const float *pools, const float *gradient,
                                      float *shares) {
  if (gradient == nullptr)
    return;
  const GroupHead head = group_head(group, first_pair, key_heads, 1);
  const index pools_of_head = ceil_div(count, STRIDE), live = live_tokens(TILES ? nullptr : lengths, head.batch, count);
  const Element *rows = tokens + head_offset(head.batch, batch_stride, head.query_head, head_stride);
  const u32 worker = warp();
  float sum = 0;
  for (index pool = worker; pool < pools_of_head; pool += THREADS / 32) {
    const index left = TILES ? lengths[head.batch * pools_of_head + pool] : live - pool * STRIDE;
    if (at >= smaller(left, LENGTH))
      continue;
    const Element *token = rows + (pool * STRIDE + at) * row_stride;
    const float *of = pools + (group * pools_of_head + pool) * WIDTH;
    for (index c = 2 * lane(); c < COLS; c += 64) {
      const float2 x = load_pair(token + c), y = load_pair(of + c);
      sum = fmaf(x.x, y.x, fmaf(x.y, y.y, sum));
    }
  }
  float *sums = reinterpret_cast<float *>(shared);
  const float own = warp_add(sum);
  if (lane() == 0)
    sums[worker] = own;
  __syncthreads();
  if (threadIdx.x != 0)
    return;
  float total = 0;
  for (int number = 0; number < THREADS / 32; ++number)
    total += sums[number];
  shares[(first_pair + group) * LENGTH + at] = total;
}

/// The gradient of a table of weights by head and token: all shares of an entry in the order of pairs and tokens; under ADDS on top of
/// what is there. What lies beyond an axis has its last entry. A thread per entry.
template <int THREADS, int LENGTH, bool ADDS>
TERCET_DEVICE void sum_pool_weights(index part, const float *shares, index pairs, index key_heads, float *gradient,
                                    index heads, index entries, index head_stride, index stride) {
  const index number = part * THREADS + thread_index();
  if (gradient == nullptr || number >= heads * entries)
    return;
  const index entry = remainder(number, entries), head = quotient(number, entries);
  const index end = entry == entries - 1 ? LENGTH : smaller(entry + 1, LENGTH);
  float total = 0;
  for (index pair = 0; pair < pairs; ++pair)
    if (smaller(remainder(pair, key_heads), heads - 1) == head)
      for (index at = entry; at < end; ++at)
        total += shares[pair * LENGTH + at];
  float *to = gradient + head * head_stride + entry * stride;
  *to = ADDS ? *to + total : total;
}

} // namespace tercet::dev
