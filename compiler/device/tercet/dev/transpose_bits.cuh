// Linear sets by key block: the bits of the sets of query blocks, transposed.
#pragma once

#include "tercet/dev/types.cuh"

namespace tercet::dev {

/// Key blocks THREADS part .., a thread each, and the 64 lines from 64 word on of the `lines` of pair g. bits: [g][lines][words of
/// key blocks]; to: [g][key blocks][words of lines].
template <int THREADS>
TERCET_DEVICE void transpose_bits(index part, index word, index g, index lines, index key_blocks, const i32 *bits,
                                  i32 *to) {
  const index j = part * THREADS + threadIdx.x, words = ceil_div(key_blocks, 64);
  if (j >= key_blocks)
    return;
  const u64 *from = reinterpret_cast<const u64 *>(bits) + (g * lines + 64 * word) * words + j / 64;
  const int count = static_cast<int>(smaller(64, lines - 64 * word));
  u64 set = 0;
  for (int i = 0; i < count; ++i)
    set |= (from[i * words] >> (j % 64) & 1) << i;
  reinterpret_cast<u64 *>(to)[(g * key_blocks + j) * ceil_div(lines, 64) + word] = set;
}

} // namespace tercet::dev
