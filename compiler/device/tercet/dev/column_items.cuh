// Items of a pass over blocks of keys: lines, each with a list of columns per head that shares the keys. The longest lines come first,
// so that none of them is what a launch waits for at its end; one far longer than the others comes in parts, whose sums a kernel of its
// own adds up, part by part.
//
// Everything follows from the lines of a pair alone: what a part adds up, and in which order, depends neither on other pairs nor on who
// runs when.
#pragma once

#include "tercet/dev/thread.cuh"

namespace tercet::dev {

/// How many parts a line comes in, and how many columns the longest has.
struct LineParts {
  u32 parts, longest;
};

/// The lines of a pair: counts [heads][lines], lengths of their lists.
struct ColumnLines {
  const i32 *counts;
  index heads, lines;

  TERCET_DEVICE u32 length(index line) const {
    u32 sum = 0;
    for (index head = 0; head < heads; ++head)
      sum += static_cast<u32>(counts[head * lines + line]);
    return sum;
  }

  /// The most columns of a part: TIMES the mean of the lines that have some, LEAST at least. By a whole warp.
  template <int TIMES, int LEAST> TERCET_DEVICE u32 limit() const {
    u32 total = 0, filled = 0;
    for (index line = lane(); line < lines; line += 32) {
      const u32 columns = length(line);
      total += columns;
      filled += columns > 0 ? 1 : 0;
    }
    total = warp_add(total);
    filled = warp_add(filled);
    const u32 mean = filled == 0 ? 0 : (total + filled - 1) / filled;
    return TIMES * mean > LEAST ? TIMES * mean : LEAST;
  }

  /// None behind the last line.
  TERCET_DEVICE LineParts split(index line, u32 limit) const {
    if (line >= lines)
      return {0, 0};
    const u32 columns = length(line), parts = columns > limit ? (columns + limit - 1) / limit : 1;
    return {parts, (columns + parts - 1) / parts};
  }
};

TERCET_DEVICE void put_entry(i32 *entries, index at, index a, index b, index c, index d) {
  i32 *entry = entries + 4 * at;
  entry[0] = static_cast<i32>(a);
  entry[1] = static_cast<i32>(b);
  entry[2] = static_cast<i32>(c);
  entry[3] = static_cast<i32>(d);
}

/// items [pair][lines + lines / TIMES, rounded up][line, part, parts, slot]: the slot of what a part adds up, -1 where a line is whole;
/// sums [pair][lines / TIMES, rounded up][line, first slot, parts, 0] of lines in parts. The line of entries behind the last is `lines`.
/// A warp per 32 lines.
///
/// Fewer than lines / TIMES lines are longer than TIMES the mean, and their parts are fewer than twice as many: each is a part of
/// more than half the limit.
template <int WARPS, int TIMES, int LEAST>
TERCET_DEVICE void column_items(index part, index pair, index heads, index lines, const i32 *counts, i32 *items,
                                i32 *sums) {
  const ColumnLines of = {counts + pair * heads * lines, heads, lines};
  const u32 limit = of.limit<TIMES, LEAST>();
  const index line = (part * WARPS + warp()) * 32 + lane();
  const LineParts own = of.split(line, limit);
  index place = 0, slot = 0, split = 0, all = 0, all_split = 0;
  for (index first = 0; first < lines; first += 32) {
    const LineParts others = of.split(first + lane(), limit);
    for (int k = 0; k < 32; ++k) {
      const u32 parts = __shfl_sync(whole_warp, others.parts, k), longest = __shfl_sync(whole_warp, others.longest, k);
      const bool before = first + k < line;
      place += longest > own.longest || (longest == own.longest && before) ? parts : 0;
      slot += before && parts > 1 ? parts : 0;
      split += before && parts > 1 ? 1 : 0;
      all += parts;
      all_split += parts > 1 ? 1 : 0;
    }
  }
  if (line >= lines)
    return;
  const index spare = ceil_div(lines, TIMES), room = lines + spare;
  for (u32 i = 0; i < own.parts; ++i)
    put_entry(items, pair * room + place + i, line, i, own.parts, own.parts > 1 ? slot + i : -1);
  if (own.parts > 1)
    put_entry(sums, pair * spare + split, line, slot, own.parts, 0);
  if (all + line < room)
    put_entry(items, pair * room + all + line, lines, 0, 1, -1);
  if (all_split + line < spare)
    put_entry(sums, pair * spare + all_split + line, lines, 0, 0, 0);
}

/// Where the entry of a block lies in items [pair][room], which BLOCKS blocks share: blocks count items along x and pairs along y. Made
/// anew in every call, which takes no register in between.
template <int BLOCKS> TERCET_DEVICE index entry_of_block(index room) {
  u32 block, pair;
  asm volatile("mov.u32 %0, %%ctaid.x;" : "=r"(block));
  asm volatile("mov.u32 %0, %%ctaid.y;" : "=r"(pair));
  return (pair * room + block / BLOCKS) * 4;
}

/// Counts steps window by window (step_windows.cuh), by one thread of a block.
TERCET_DEVICE void start_count(index at, i32 *counts) {
  if (threadIdx.x == 0)
    counts[at] = 0;
}
TERCET_DEVICE void add_to_count(index steps, index at, i32 *counts) {
  if (threadIdx.x == 0)
    counts[at] += static_cast<i32>(steps);
}

} // namespace tercet::dev
