// Gradients of tables: what pairs give to the entries that they read, what rows give through gates, and sums of both. Nothing is added by
// two threads at once: a warp owns what it adds to.
#pragma once

#include "tercet/dev/global.cuh"
#include "tercet/dev/number.cuh"
#include "tercet/dev/pair.cuh"

namespace tercet::dev {

/// The sum of `value` over this lane and the `peers` behind it, in the first of them all; peers agree in them. The order
/// follows from who they are: next to next, then pairs of these.
TERCET_DEVICE float add_peers(u32 peers, float value) {
  u32 rest = peers & ~(lanes_before() | 1u << lane()), rank = __popc(peers & lanes_before());
  while (__any_sync(whole_warp, rest != 0)) {
    const float next = __shfl_sync(whole_warp, value, __ffs(rest) - 1);
    value += rest != 0 ? next : 0.0f;
    rest &= __ballot_sync(whole_warp, rank % 2 == 0);
    rank /= 2;
  }
  return value;
}

/// Adds the values of lanes that count to entries `at`, from `entries` on: those of one entry are summed first.
TERCET_DEVICE void add_to_entries(float *entries, bool counts, index at, float value) {
  const u64 key = counts ? static_cast<u64>(at) : ~static_cast<u64>(lane()); // of its own
  const u32 peers = __match_any_sync(whole_warp, key);
  const float sum = add_peers(peers, value);
  if (counts && (peers & lanes_before()) == 0)
    entries[at] += sum;
  __syncwarp();
}

/// Adds a tile of values that stands at row `row` to entries: offsets has where, as bits, beside row_stride elements per row. Where
/// OWNED entries are those of `gradient`, which the warp's rows have alone; else of the warp's copy in `shares`. Rows at or beyond
/// `live`, and values that are 0, add nothing.
template <int ROWS, int COLS>
TERCET_DEVICE void scatter_tile(const Tile<ROWS, COLS> &values, const Tile<ROWS, COLS> &offsets, index row, index live,
                                bool owned, float *gradient, index gradient_at, index row_stride, float *shares,
                                index shares_at) {
  float *entries = owned ? gradient + gradient_at : shares + shares_at;
  const index stride = owned ? row_stride : 0;
#pragma unroll
  for (int i = 0; i < values.size; ++i) {
    const index r = row + values.first_row() + 8 * values.row_of(i);
    add_to_entries(entries, r < live && values.at[i] != 0, r * stride + number_of(offsets.at[i]), values.at[i]);
  }
}

/// Sets a strip's copies of `entries` entries to 0, from `at` on; each warp those that it adds to, and the first ones those of no warp.
template <int COPIES, int WARPS> TERCET_DEVICE void clear_copies(float *shares, index at, index entries, bool owned) {
  if (!owned)
    for (index copy = warp(); copy < COPIES; copy += WARPS)
      for (index entry = lane(); entry < entries; entry += 32)
        shares[at + copy * entries + entry] = 0;
  __syncwarp();
}

/// Elements to an entry along an axis of `size` entries; an index outside is its nearest end.
TERCET_DEVICE index entry_at(Int i, index size, index stride) { return clamped(i, {size, stride}); }
/// Whether it is entry `entry`.
TERCET_DEVICE bool is_entry(Int i, index size, index entry) { return clamped(i, {size, 1}) == entry; }

/// Column `col` of row `row` of dO times that of row `kept_row` of O; 0 beyond both.
template <class Element, int COLS, int WIDTH>
TERCET_DEVICE float gate_product(index row, index kept_row, index col, bool counts, Rows<Element, COLS> gradient,
                                 Rows<float, WIDTH> output) {
  return counts && col < COLS ? to_float(gradient.row(row)[col]) * output.row(kept_row)[col] : 0.0f;
}

/// A share, by every thread, or by the first of a warp.
TERCET_DEVICE void keep_share(bool counts, float *shares, index at, float value) {
  if (counts)
    shares[at] = value;
}
TERCET_DEVICE void keep_sum(bool counts, float *shares, index at, float sum) {
  const float all = warp_add(sum);
  keep_share(counts && lane() == 0, shares, at, all);
}

/// What a share gives; nothing where it does not count.
TERCET_DEVICE float share_of(bool counts, const float *shares, index at) { return counts ? shares[at] : 0.0f; }

/// Adds the sum over a warp to an entry.
TERCET_DEVICE void add_to_entry(float *gradient, index at, float sum) {
  const float total = warp_add(sum);
  if (lane() == 0)
    gradient[at] += total;
}

} // namespace tercet::dev
