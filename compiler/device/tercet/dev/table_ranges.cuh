// The least and the largest entry of every block of tokens of a table, at three sizes of blocks: what reasoning over
// ranges of tokens reads in place of the table.
#pragma once

#include "tercet/dev/pair.cuh"
#include "tercet/dev/thread.cuh"

namespace tercet::dev {

/// Entries of a block at each level. A row of ranges holds those of all blocks, then of all parts, then of all windows,
/// each as its least and its largest entry.
enum : int { range_block = 64, range_part = 32 * range_block, range_window = 32 * range_part };

TERCET_DEVICE index ranges_of(index entries) {
  return ceil_div(entries, range_block) + ceil_div(entries, range_part) + ceil_div(entries, range_window);
}

/// NaN in a range of floats stands for anything, NaN included.
template <class Entry> struct Range { Entry least, largest; };

TERCET_DEVICE Range<float> empty_range(float) { return {infinity(), -infinity()}; }
TERCET_DEVICE Range<i32> empty_range(i32) { return {0x7fffffff, -0x7fffffff - 1}; }
TERCET_DEVICE Range<float> full_range(float) { return {not_a_number(), not_a_number()}; }
TERCET_DEVICE Range<i32> full_range(i32) { return {-0x7fffffff - 1, 0x7fffffff}; }

TERCET_DEVICE Range<float> join(Range<float> a, Range<float> b) {
  return {minimum(a.least, b.least), maximum(a.largest, b.largest)};
}
TERCET_DEVICE Range<i32> join(Range<i32> a, Range<i32> b) {
  return {a.least < b.least ? a.least : b.least, a.largest > b.largest ? a.largest : b.largest};
}
template <class Entry> TERCET_DEVICE Range<Entry> warp_join(Range<Entry> range) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2)
    range = join(range, Range<Entry>{__shfl_xor_sync(whole_warp, range.least, distance),
                                     __shfl_xor_sync(whole_warp, range.largest, distance)});
  return range;
}

/// Ranges of window `window` of a row of a table, which begins at `offset` and whose entries are `stride` elements
/// apart, into row `row` of `ranges`. shared: 256 bytes.
template <int THREADS, class Entry>
TERCET_DEVICE void table_ranges(u8 *shared, index window, index row, const Entry *table, index offset, index entries,
                                index stride, Entry *ranges) {
  Range<Entry> *blocks = reinterpret_cast<Range<Entry> *>(ranges) + row * ranges_of(entries);
  Range<Entry> *parts = blocks + ceil_div(entries, range_block), *windows = parts + ceil_div(entries, range_part);
  Range<Entry> *own = reinterpret_cast<Range<Entry> *>(shared);
  const Range<Entry> nothing = empty_range(Entry());
  for (int number = static_cast<int>(warp()); number < 32; number += THREADS / 32) {
    const index part = 32 * window + number;
    Range<Entry> of_part = nothing;
    for (index block = 32 * part; block < 32 * part + 32 && block * range_block < entries; ++block) {
      Range<Entry> of_block = nothing;
#pragma unroll
      for (int half = 0; half < 2; ++half)
        if (const index at = block * range_block + 32 * half + lane(); at < entries) {
          const Entry entry = __ldg(table + offset + at * stride);
          of_block = join(of_block, Range<Entry>{entry, entry});
        }
      of_block = warp_join(of_block);
      of_part = join(of_part, of_block);
      if (lane() == 0)
        blocks[block] = of_block;
    }
    if (lane() == 0) {
      own[number] = of_part;
      if (part * range_part < entries)
        parts[part] = of_part;
    }
  }
  __syncthreads();
  if (threadIdx.x < 32) {
    const Range<Entry> of_window = warp_join(own[lane()]);
    if (lane() == 0)
      windows[window] = of_window;
  }
}

/// The range of the entries `first` to `last` of a row of `entries`, indices clamped, from blocks that cover them: at
/// most 8 blocks of the smallest size that will do; everything where no size does.
template <class Entry>
TERCET_DEVICE Range<Entry> range_of(const Entry *ranges, index row, index entries, Int first, Int last) {
  const Range<Entry> *level = reinterpret_cast<const Range<Entry> *>(ranges) + row * ranges_of(entries);
  const i32 from = static_cast<i32>(clamped(first, {entries, 1})), to = static_cast<i32>(clamped(last, {entries, 1}));
#pragma unroll
  for (int size = range_block; size <= range_window; size *= 32) {
    const i32 begin = from / size, end = to / size;
    if (end - begin < 8) {
      Range<Entry> range = empty_range(Entry());
      for (i32 block = begin; block <= end; ++block)
        range = join(range, Range<Entry>{__ldg(&level[block].least), __ldg(&level[block].largest)});
      return range;
    }
    level += ceil_div(entries, size);
  }
  return full_range(Entry());
}

TERCET_DEVICE float least_of(const float *ranges, index row, index entries, Int first, Int last) {
  return range_of(ranges, row, entries, first, last).least;
}
TERCET_DEVICE float largest_of(const float *ranges, index row, index entries, Int first, Int last) {
  return range_of(ranges, row, entries, first, last).largest;
}
TERCET_DEVICE Int least_of(const i32 *ranges, index row, index entries, Int first, Int last) {
  return Int(range_of(ranges, row, entries, first, last).least);
}
TERCET_DEVICE Int largest_of(const i32 *ranges, index row, index entries, Int first, Int last) {
  return Int(range_of(ranges, row, entries, first, last).largest);
}

} // namespace tercet::dev
