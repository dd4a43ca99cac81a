// Rows of scores turned into what selection ranks, by one warp, a lane every 32nd block of them.
#pragma once

#include "tercet/dev/keep_rule.cuh"

namespace tercet::dev {

/// What the scores of a row weigh, over its non-empty blocks, with APART over those that are not forced.
template <bool LOGITS, bool APART = false, class Blocks>
TERCET_DEVICE Weights<LOGITS> weigh_row(const u32 *row, int count, const Blocks &blocks) {
  Weights<LOGITS> weights = {-infinity(), 0.0f};
  const int first = static_cast<int>(lane());
  const auto weighs = [&](u32 key) { return key != empty_key && !(APART && key == forced_key); };
  for (int j = first; j < count; j += 32)
    if (weighs(blocks.key(j)))
      weights.top = fmaxf(weights.top, __uint_as_float(row[j]));
  weights.top = warp_max(weights.top);
  for (int j = first; j < count; j += 32)
    if (weighs(blocks.key(j)))
      weights.total += weights.of(__uint_as_float(row[j]));
  weights.total = warp_add(weights.total);
  return weights;
}

/// Replaces the score of every block by replace(key, score), where the key says what the block is.
template <class Blocks, class Replace>
TERCET_DEVICE Census replace_scores(u32 *row, int count, const Blocks &blocks, Replace replace) {
  int nonempty = 0, forced = 0, candidates = 0;
  for (int j = static_cast<int>(lane()); j < count; j += 32) {
    const u32 key = blocks.key(j);
    row[j] = replace(key, __uint_as_float(row[j]));
    nonempty += key != empty_key;
    forced += key == forced_key;
    candidates += key == first_rank;
  }
  return {warp_add(nonempty), warp_add(forced), warp_add(candidates)};
}

} // namespace tercet::dev
