// Every rule of keep comes to a number of candidates, the best by rank.
#include "KeepRules.h"

#include "Dispatch.h"
#include "KeySearch.h"

#include <algorithm>
#include <cmath>

namespace tercet::rt {
namespace {

constexpr double massSlack = 1e-9;

struct CountStates {
  [[gnu::always_inline]] static inline void run(const uint8_t *states, int64_t count, uint8_t wanted, int64_t *result) {
    int32_t total = 0; // rows have fewer than 2^31 blocks
    for (int64_t j = 0; j < count; ++j)
      total += (states[j] & wanted) != 0;
    *result = total;
  }
};

int64_t countStates(const uint8_t *states, int64_t count, uint8_t wanted) {
  int64_t result = 0;
  Dispatch<CountStates, const uint8_t *, int64_t, uint8_t, int64_t *>::call(states, count, wanted, &result);
  return result;
}

/// The fewest of the best that weigh `wanted` together; all where they do not. isWithin: without the last of them, which
/// reaches that weight.
int64_t blocksOfMass(double wanted, bool isWithin, int64_t candidates, const int32_t *keys, int64_t count,
                     const Weighing &weighing) {
  if (wanted <= 0)
    return 0;
  double total = weightFrom(keys, count, noKey + 1, weighing);
  if (total < wanted)
    return candidates;
  auto measure = [&](const int32_t *some, int64_t number, int32_t bound) {
    return weightFrom(some, number, bound, weighing);
  };
  MeasuredBound last = searchKey(keys, count, rangeOf(keys, count), wanted, total, /*stopEarly=*/false, measure);
  int64_t above = countFrom(keys, count, last.key + 1);
  double missing = wanted - weightFrom(keys, count, last.key + 1, weighing);
  double ties = std::ceil(missing / weighing.weight(valueOf(last.key)));
  int64_t equal = countFrom(keys, count, last.key) - above;
  return above + static_cast<int64_t>(std::clamp(ties, 1.0, static_cast<double>(equal))) - isWithin;
}

int64_t countByPercentile(double share, double slack, int64_t candidates, const int32_t *keys, int64_t count) {
  auto number = static_cast<double>(candidates);
  auto rank = static_cast<int64_t>(std::ceil(share * number - slack * number));
  if (rank <= 0 || candidates == 0)
    return candidates;
  return boundOfRank(keys, count, candidates - std::min(rank, candidates) + 1).reached;
}

int64_t countByRule(const SelectionRule &rule, const SpanTally &tally, const int32_t *keys, int64_t count,
                    const Weighing &weighing) {
  int64_t spent = rule.forcedCounts ? tally.spending : 0;
  double spentMass = rule.forcedCounts ? tally.spentMass : 0;
  switch (rule.keepRule) {
  case KeepRule::fraction:
  case KeepRule::count:
    return blockCount(rule.keep, rule.keepRule == KeepRule::count, rule.countRule, rule.keepSlack, tally.live) - spent;
  case KeepRule::mass:
    return blocksOfMass((rule.keep - massSlack) * tally.mass - spentMass, false, tally.candidates, keys, count,
                        weighing);
  case KeepRule::within:
    if (rule.keep >= 1 && tally.mass > 0)
      return tally.candidates; // sums in another order could come out above that of all
    return blocksOfMass((rule.keep + massSlack) * tally.mass - spentMass, true, tally.candidates, keys, count,
                        weighing);
  case KeepRule::above:
    return countOfWeight(keys, count, rule.keep * weighing.unit, weighing);
  case KeepRule::relative:
    return countOfWeight(keys, count, rule.keep * tally.largest, weighing);
  case KeepRule::percentile:
    return countByPercentile(rule.keep, rule.keepSlack, tally.candidates, keys, count);
  }
  return 0;
}

} // namespace

void SpanTally::add(const SpanTally &other) {
  live += other.live;
  candidates += other.candidates;
  spending += other.spending;
  mass += other.mass;
  spentMass += other.spentMass;
  largest = std::max(largest, other.largest);
}

SpanTally tallyRow(const SelectionRule &rule, const float *values, const uint8_t *states, int64_t count, bool areShares,
                   int32_t *keys, Weighing &weighing) {
  SpanTally tally;
  tally.live = countStates(states, count, nonEmpty);
  tally.candidates = countStates(states, count, candidate);
  tally.spending = countStates(states, count, forced);
  const uint8_t inSoftmax = rule.apart ? nonEmpty & ~forced : nonEmpty;
  if (!rule.needsShares() || countStates(states, count, inSoftmax) == 0)
    return tally;
  makeKeys(values, states, inSoftmax, count, keys);
  float largest = valueOf(rangeOf(keys, count).largest);
  weighing = areShares ? Weighing() : Weighing::ofLogits(largest);
  tally.mass = weightFrom(keys, count, noKey + 1, weighing);
  tally.largest = weighing.weight(largest);
  if (!areShares && tally.mass > 0)
    weighing.unit = tally.mass;
  if (rule.forcedCounts && !rule.apart && tally.spending > 0) {
    makeKeys(values, states, forced, count, keys);
    tally.spentMass = weightFrom(keys, count, noKey + 1, weighing);
  }
  return tally;
}

int64_t blockCount(double amount, bool isCount, CountRule rule, double slack, int64_t n) {
  double blocks = static_cast<double>(n), count = amount;
  if (!isCount) {
    count = amount * blocks;
    if (rule == CountRule::floor)
      count = std::floor(count + slack * blocks);
    else if (rule == CountRule::ceil)
      count = std::ceil(count - slack * blocks);
    else
      count = std::floor(count + 0.5);
  }
  return static_cast<int64_t>(std::clamp(count, 0.0, blocks));
}

Quota quotaOf(const SelectionRule &rule, const SpanTally &tally, const int32_t *keys, int64_t count,
              const Weighing &weighing) {
  if (tally.candidates == 0)
    return {0, 0};
  int64_t spent = rule.forcedCounts ? tally.spending : 0;
  int64_t kept = countByRule(rule, tally, keys, count, weighing);
  if (rule.keep > 0)
    kept = std::max(kept, rule.minKeep - spent);
  kept = std::clamp<int64_t>(std::min(kept, rule.maxKeep - spent), 0, tally.candidates);
  int64_t dropped = blockCount(rule.drop, rule.dropIsCount, rule.countRule, decimalSlack, tally.live);
  return {kept, std::clamp<int64_t>(dropped, 0, tally.candidates - kept)};
}

} // namespace tercet::rt
