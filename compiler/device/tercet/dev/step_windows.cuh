// Which tiles of keys a block of query rows takes under a mask, found without a list in global memory: a rule says of a
// range of keys what the mask may do to pairs with it (MaskEffect, where yes is always a right answer).
//
// A window is 1024 steps. Every warp looks at 32 windows at once, then at the 32 parts of a window, then at the steps of
// the parts that remain, each of its threads at one: all warps find the same. One of them writes the window's list of
// steps to shared memory, where copies may look ahead.
#pragma once

#include "tercet/dev/pair.cuh"
#include "tercet/dev/thread.cuh"

namespace tercet::dev {

/// KEYS: of a step; `live` keys are there. The list takes `bytes` at `offset` of the block's shared memory.
template <int KEYS> struct StepWindows {
  static constexpr int parts = 32, part_steps = 32, window_steps = parts * part_steps, bytes = 2 * window_steps;

  u16 *list;
  index live, base = 0, next_window = 0;

  TERCET_DEVICE StepWindows(u8 *shared, u32 offset, index live)
      : list(reinterpret_cast<u16 *>(shared + offset)), live(live) {}

  /// Moves to the next window with a step in which the rule allows a pair; returns how many it has, or 0 after the last. For
  /// all threads of a block, none of whose copies is under way.
  template <class Rule> TERCET_DEVICE index next(Rule rule) {
    for (;;) {
      const u32 windows = allowed<KEYS * window_steps>(rule, next_window);
      if (windows == 0) {
        next_window += 32;
        if (next_window * KEYS * window_steps >= live)
          return 0;
        continue;
      }
      next_window += __ffs(static_cast<int>(windows));
      base = (next_window - 1) * window_steps;
      if (const index count = list_window(rule); count > 0)
        return count;
    }
  }

  /// Entry i: the number of a step, with bit 31 set where the mask may forbid pairs of its tile.
  TERCET_DEVICE index operator[](index i) const {
    const u32 entry = list[i];
    return static_cast<i32>(static_cast<u32>(base) + (entry & 0x7fff) + ((entry & 0x8000) << 16));
  }

private:
  template <int WIDTH, class Rule> TERCET_DEVICE MaskEffect effect(Rule rule, index range) const {
    const index begin = range * WIDTH, end = smaller(begin + WIDTH, live);
    return begin < end ? rule(Int(begin), Int(end - 1)) : MaskEffect{false, false};
  }

  /// The ranges first .. first + 31 of WIDTH keys in which a pair is allowed, as bits.
  template <int WIDTH, class Rule> TERCET_DEVICE u32 allowed(Rule rule, index first) const {
    return __ballot_sync(whole_warp, effect<WIDTH>(rule, first + lane()).allows);
  }

  template <class Rule> TERCET_DEVICE index list_window(Rule rule) {
    __syncthreads(); // the list before this one was read
    int count = 0;
    for (u32 left = allowed<KEYS * part_steps>(rule, base / part_steps); left != 0; left &= left - 1) {
      const int step = (__ffs(static_cast<int>(left)) - 1) * part_steps + static_cast<int>(lane());
      const MaskEffect found = effect<KEYS>(rule, base + step);
      const u32 taken = __ballot_sync(whole_warp, found.allows);
      if (threadIdx.x < 32 && found.allows)
        list[count + __popc(taken & lanes_before())] = static_cast<u16>(step + (found.forbids ? 0x8000 : 0));
      count += __popc(taken);
    }
    __syncthreads();
    return count;
  }
};

/// The steps `first` to before `end` of those that the rule leaves.
template <int KEYS> struct PartOfWindows {
  StepWindows<KEYS> all;
  int skipped, left, begin = 0;

  TERCET_DEVICE PartOfWindows(u8 *shared, u32 offset, index live, index first, index end)
      : all(shared, offset, live), skipped(static_cast<int>(first)), left(static_cast<int>(end - first)) {}

  template <class Rule> TERCET_DEVICE index next(Rule rule) {
    while (left > 0) {
      const int count = static_cast<int>(all.next(rule));
      if (count == 0)
        return 0;
      begin = min(skipped, count);
      const int taken = min(count - begin, left);
      skipped -= begin;
      left -= taken;
      if (taken > 0)
        return taken;
    }
    return 0;
  }

  TERCET_DEVICE index operator[](index i) const { return all[begin + i]; }
};

} // namespace tercet::dev
