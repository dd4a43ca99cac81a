// A tensor ring whose slots come with a number of f32 per row: what belongs to the columns of a product, where rows of the slot are
// these.
#pragma once

#include "tercet/dev/global.cuh"
#include "tercet/dev/tensor_ring.cuh"

namespace tercet::dev {

/// Copies bytes, 16 at least, all multiples of 16; they arrive at `barrier`.
TERCET_DEVICE void copy_bytes(u32 to, const void *from, u32 bytes, u32 barrier) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(to),
               "l"(from), "r"(bytes), "r"(barrier)
               : "memory");
}

TERCET_DEVICE float2 load_shared_pair(u32 from) {
  float2 pair;
  asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];" : "=f"(pair.x), "=f"(pair.y) : "r"(from));
  return pair;
}

/// The numbers lie behind the slots and their barriers.
template <class Slot, int SLOTS, int READERS> struct NumberedRing : TensorRing<Slot, SLOTS, READERS> {
  using Ring = TensorRing<Slot, SLOTS, READERS>;
  using Ring::Ring;
  static constexpr int number_bytes = 4 * Slot::rows, bytes = Ring::bytes + SLOTS * number_bytes;

  TERCET_DEVICE u32 numbers(u32 slot) const { return this->base + Ring::bytes + slot * number_bytes; }

  /// By the producer. The rows of `from` are padded to multiples of the slot's.
  TERCET_DEVICE void fill(index step, const TensorMap &map, index row, index head, index batch,
                          Rows<float, 1> from) const {
    const u32 slot = Ring::number(step);
    Ring::fill(step, map, row, head, batch, number_bytes);
    copy_bytes(numbers(slot), from.row(row), number_bytes, this->full(slot));
  }

  /// By the readers, once the slot of the step is full: each column's number, in every row of a tile.
  template <int ROWS> TERCET_DEVICE Tile<ROWS, Slot::rows> columns(index step) const {
    const u32 from = numbers(Ring::number(step)) + 8 * (lane() % 4);
    Tile<ROWS, Slot::rows> result;
#pragma unroll
    for (int i = 0; i < result.size; i += 4) {
      const float2 pair = load_shared_pair(from + 8 * i);
      result.at[i] = result.at[i + 2] = pair.x;
      result.at[i + 1] = result.at[i + 3] = pair.y;
    }
    return result;
  }
};

} // namespace tercet::dev
