// A ring of shared tiles that all threads of a block fill with asynchronous 16-byte copies (cp.async, sm_80 on).
//
// Every fill is one group of copies per thread, so groups finish in the order of the fills. wait is a barrier of the
// block: the slot is full for everyone, and what was read before it may be overwritten after it.
#pragma once

#include "tercet/dev/global.cuh"

namespace tercet::dev {

/// ROWS x COLS elements of 2 or 4 bytes in shared memory, rows STRIDE elements apart. A stride of an odd number of 16-byte
/// chunks spreads the rows that one ldmatrix reads over all banks.
template <class ELEMENT, int ROWS, int COLS, int STRIDE> struct PlainTile {
  using Element = ELEMENT;
  static constexpr int rows = ROWS, cols = COLS, row_bytes = sizeof(ELEMENT) * STRIDE, bytes = ROWS * row_bytes;
  /// Elements of a 16-byte chunk.
  static constexpr int chunk = 16 / sizeof(ELEMENT);
  static_assert(COLS % chunk == 0 && STRIDE % chunk == 0 && STRIDE >= COLS, "no such shared tile");

  u32 address;

  /// ROWS_WANTED rows from `row` on.
  template <int ROWS_WANTED> TERCET_DEVICE PlainTile<ELEMENT, ROWS_WANTED, COLS, STRIDE> from_row(index row) const {
    return {address + static_cast<u32>(row) * row_bytes};
  }
};

/// Starts to copy 16 bytes.
TERCET_DEVICE void copy_chunk(u32 to, const void *from) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}
/// The same, or 16 zeros without a read unless `live`.
TERCET_DEVICE void copy_chunk_if(u32 to, const void *from, bool live) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(live ? 16 : 0)
               : "memory");
}

TERCET_DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/// Waits until at most LATER groups of this thread are under way.
template <int LATER> TERCET_DEVICE void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(LATER) : "memory");
}

TERCET_DEVICE void drain_copies() { asm volatile("cp.async.wait_all;" ::: "memory"); }

template <class Slot, int SLOTS, int THREADS> struct CopyRing {
  u32 base;

  TERCET_DEVICE CopyRing(const u8 *shared, u32 offset) : base(shared_address(shared) + offset) {}

  TERCET_DEVICE Slot slot(index step) const { return {base + static_cast<u32>(step) % SLOTS * Slot::bytes}; }

  /// Rows row .. row + Slot::rows of `source`; rows at or beyond `limit` and columns beyond the source's become 0.
  template <int COLS>
  TERCET_DEVICE void fill(index step, Rows<typename Slot::Element, COLS> source, index row,
                          index limit = all_rows) const {
    if (limit - row >= Slot::rows && COLS == Slot::cols)
      copy_rows<true>(step, source, row, Slot::rows);
    else
      copy_rows<false>(step, source, row, limit - row);
    commit_copies();
  }

  /// The full slot of a step, while at most LATER fills of any ring are under way.
  template <int LATER> TERCET_DEVICE Slot wait(index step) const {
    wait_copies<LATER>();
    __syncthreads();
    return slot(step);
  }

private:
  /// A thread copies chunks of one column, PASS rows apart, so that addresses advance by constants; where a row has more
  /// chunks than the block has threads, of several columns. Few warps make many passes: unrolled, their multiples of the
  /// stride would take the registers of an accumulator.
  template <bool ALL_LIVE, int COLS>
  TERCET_DEVICE void copy_rows(index step, Rows<typename Slot::Element, COLS> source, index row, index live) const {
    constexpr int chunks = Slot::cols / Slot::chunk, ACROSS = chunks < THREADS ? chunks : THREADS,
                  PASS = THREADS / ACROSS, UNROLLED = THREADS < 128 ? 4 : Slot::rows;
    const int thread = static_cast<int>(threadIdx.x), r = thread / ACROSS;
    if (THREADS % ACROSS != 0 && r >= PASS)
      return;
#pragma unroll
    for (int c = thread % ACROSS, left = chunks; left > 0; c += ACROSS, left -= ACROSS) {
      const u32 to = slot(step).address + r * Slot::row_bytes + 16 * c;
      const typename Slot::Element *from = source.row(row + r) + Slot::chunk * c;
      if (left < ACROSS && c >= chunks)
        break;
#pragma unroll UNROLLED
      for (int first = 0; first < Slot::rows; first += PASS) {
        if (Slot::rows % PASS != 0 && first + r >= Slot::rows)
          break;
        if (ALL_LIVE)
          copy_chunk(to + first * Slot::row_bytes, from + first * source.stride);
        else
          copy_chunk_if(to + first * Slot::row_bytes, from + first * source.stride,
                        first + r < live && Slot::chunk * c < COLS);
      }
    }
  }
};

} // namespace tercet::dev
