// A ring of swizzled shared tiles that one thread fills with box copies (TMA, sm_90 on).
//
// Per slot two barriers: `full` completes when the copy's bytes are there, `free` when every warp of the slot's readers
// has released it. Step s is use s / SLOTS of slot s mod SLOTS, so its parity is that of s / SLOTS.
#pragma once

#include "tercet/dev/barrier.cuh"
#include "tercet/dev/thread.cuh"

namespace tercet::dev {

/// ROWS x COLS elements of 2 bytes in boxes of 64 columns; a row of a box is 128 bytes, whose 16-byte chunks are
/// exchanged by chunk ^= row mod 8. Aligned to 1024 bytes.
template <class ELEMENT, int ROWS, int COLS> struct SwizzledTile {
  static_assert(sizeof(ELEMENT) == 2 && COLS % 64 == 0 && ROWS % 8 == 0, "no such swizzled tile");
  using Element = ELEMENT;
  static constexpr int rows = ROWS, cols = COLS, boxes = COLS / 64, box_bytes = 128 * ROWS, bytes = boxes * box_bytes;

  u32 address;

  /// The address of the 16-byte chunk that holds columns 8 chunk .. 8 chunk + 7 of a row.
  TERCET_DEVICE u32 chunk(u32 row, u32 chunk) const {
    return address + chunk / 8 * box_bytes + row * 128 + ((chunk ^ row) % 8) * 16;
  }
};

/// Copies a box of a [batch, heads, tokens, columns] tensor; its bytes arrive at `barrier`.
TERCET_DEVICE void copy_box(u32 to, const TensorMap &map, u32 barrier, int col, int row, int head, int batch) {
  asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], "
               "[%1, {%3, %4, %5, %6}], [%2];" ::"r"(to),
               "l"(&map), "r"(barrier), "r"(col), "r"(row), "r"(head), "r"(batch)
               : "memory");
}

/// READERS warpgroups read each slot.
template <class Slot, int SLOTS, int READERS> struct TensorRing {
  static constexpr int bytes = SLOTS * (Slot::bytes + 16);

  u32 base;

  /// Made by all threads of the block, before enter_roles().
  TERCET_DEVICE TensorRing(const u8 *shared, u32 offset) : base(shared_address(shared) + offset) {
    if (threadIdx.x == 0) {
#pragma unroll
      for (int i = 0; i < SLOTS; ++i) {
        barrier_init(full(i), 1);
        barrier_init(free(i), 4 * READERS);
      }
    }
  }

  TERCET_DEVICE static u32 number(index step) { return static_cast<u32>(step) % SLOTS; }
  TERCET_DEVICE static u32 parity(index step) { return static_cast<u32>(step) / SLOTS % 2; }
  TERCET_DEVICE u32 full(u32 slot) const { return base + SLOTS * Slot::bytes + 16 * slot; }
  TERCET_DEVICE u32 free(u32 slot) const { return full(slot) + 8; }

  /// By the producer. Waits until the slot is free, then starts the copy of its boxes; `more` bytes the caller brings.
  TERCET_DEVICE void fill(index step, const TensorMap &map, index row, index head, index batch, u32 more = 0) const {
    const u32 slot = number(step), to = base + slot * Slot::bytes;
    barrier_wait(free(slot), parity(step) ^ 1);
    barrier_arrive_expecting(full(slot), Slot::bytes + more);
#pragma unroll
    for (int box = 0; box < Slot::boxes; ++box)
      copy_box(to + box * Slot::box_bytes, map, full(slot), 64 * box, static_cast<int>(row), static_cast<int>(head),
               static_cast<int>(batch));
  }

  /// By the readers: the full slot of a step.
  TERCET_DEVICE Slot wait(index step) const {
    const u32 slot = number(step);
    barrier_wait(full(slot), parity(step));
    return {base + slot * Slot::bytes};
  }

  /// By the readers: this warp has read the slot for the last time.
  TERCET_DEVICE void release(index step) const {
    __syncwarp();
    if (lane() == 0)
      barrier_arrive(free(number(step)));
  }
};

/// Sets the rows at or beyond `live` to 0 (all of them where it is negative), together with all CONSUMERS warpgroups, before
/// any of them reads the tile.
template <int CONSUMERS, class Element, int ROWS, int COLS>
TERCET_DEVICE void clear_rows(const SwizzledTile<Element, ROWS, COLS> &tile, index live) {
  if (live < ROWS) {
    constexpr int chunks = COLS / 8;
    const int first = static_cast<int>(larger(live, 0));
    for (int i = static_cast<int>(threadIdx.x) - 128 + first * chunks; i < ROWS * chunks; i += 128 * CONSUMERS)
      asm volatile("st.shared.v4.b32 [%0], {%1, %1, %1, %1};" ::"r"(tile.chunk(i / chunks, i % chunks)), "r"(0)
                   : "memory");
    __syncwarp(); // the barrier wants all threads of a warp at once
    async_proxy_fence();
    named_barrier<1, 128 * CONSUMERS>();
  }
}

} // namespace tercet::dev
