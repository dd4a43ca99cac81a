// KeepRules: from an amount and what a span holds to numbers of blocks (docs/spec.md#counts, #select).
#pragma once

#include "Shares.h"

namespace tercet::rt {

/// What decides how many candidates a span keeps and drops, apart from their scores.
struct SelectionRule {
  KeepRule keepRule;
  CountRule countRule;
  bool dropIsCount, forcedCounts;
  double keep, drop;
  double keepSlack; ///< of a block per block: fractions that are decimal in the source are not exact
  int64_t minKeep, maxKeep;
  bool apart, byShare; ///< forced blocks are out of P; a span is ranked by P, whatever the rule

  bool needsShares() const {
    return byShare || keepRule == KeepRule::mass || keepRule == KeepRule::within || keepRule == KeepRule::above ||
           keepRule == KeepRule::relative;
  }
};

/// Sums over the rows of a span; masses are weights, and 0 unless the rule needs them.
struct SpanTally {
  int64_t live = 0, candidates = 0, spending = 0; ///< spending: forced blocks that use up keep
  double mass = 0, spentMass = 0;                 ///< of non-empty blocks, and of the spending ones
  double largest = 0;                             ///< weight of a non-empty block

  void add(const SpanTally &other);
};

/// Adds up a row of `count` blocks. With shares, `weighing` becomes that of the row, whose values are shares or logits.
SpanTally tallyRow(const SelectionRule &rule, const float *values, const uint8_t *states, int64_t count, bool areShares,
                   int32_t *keys, Weighing &weighing);

/// What decimal fractions are off by at most, as f64 and as f32 (docs/spec.md#counts).
inline constexpr double decimalSlack = 1e-9, budgetSlack = 1e-7;
/// How many of n blocks a fraction or a count stands for, in [0, n].
int64_t blockCount(double amount, bool isCount, CountRule rule, double slack, int64_t n);

/// keys: of the span's candidates.
Quota quotaOf(const SelectionRule &rule, const SpanTally &tally, const int32_t *keys, int64_t count,
              const Weighing &weighing);

} // namespace tercet::rt
