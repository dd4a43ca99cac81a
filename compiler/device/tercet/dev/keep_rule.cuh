// Rules of keep and drop (docs/spec.md#select): how many of the candidates that are ranked together become critical, and how
// many of the others negligible.
#pragma once

#include "tercet/dev/row_blocks.cuh"

namespace tercet::dev {

/// What an amount of keep means, and how a fraction of n blocks becomes a count; in the order of tercet/Builtins.h.
enum : int { keep_fraction, keep_count, keep_mass, keep_above, keep_relative, keep_percentile, keep_within };
enum : int { count_floor, count_ceil, count_round };

/// floor(r n + slack n), ceil(r n - slack n) or floor(r n + 0.5), or the amount itself; within [0, n].
template <int ROUNDING, bool IS_COUNT> TERCET_DEVICE index block_count(double amount, double slack, index n) {
  const double blocks = static_cast<double>(n), some = __dmul_rn(slack, blocks), product = __dmul_rn(amount, blocks);
  double count = amount;
  if (!IS_COUNT)
    count = ROUNDING == count_floor  ? floor(__dadd_rn(product, some))
            : ROUNDING == count_ceil ? ceil(__dadd_rn(product, -some))
                                     : floor(__dadd_rn(product, 0.5));
  return count <= 0 ? 0 : count >= blocks ? n : static_cast<index>(count);
}

/// What is ranked together: non-empty blocks, those forced that are not partial, candidates.
struct Census {
  index blocks, forced, candidates;
};

template <int KEEP, int ROUNDING, bool DROP_COUNT, bool FORCED_COUNTS> struct KeepRule {
  enum : int { keeps = KEEP };
  /// Whether it asks what scores weigh.
  enum : bool {
    by_mass = KEEP == keep_mass || KEEP == keep_within,
    weighs = by_mass || KEEP == keep_above || KEEP == keep_relative
  };
  double keep, drop;
  index min_keep, max_keep;
  double slack = 1e-9; ///< of a decimal fraction as an f64

  /// Takes the mean of the budgets of `heads` heads from `first` on as amount of keep: a NaN is 0, others go to the nearest
  /// legal amount. budgets: null, or one per head, `stride` apart.
  TERCET_DEVICE void take_budgets(const float *budgets, index stride, index first, int heads) {
    if (budgets == nullptr)
      return;
    const double most = KEEP == keep_count ? 2147483647.0 : 1.0;
    double sum = 0;
    for (int r = 0; r < heads; ++r) {
      const double budget = budgets[(first + r) * stride];
      const double amount = budget > 0 ? (budget < most ? budget : most) : 0.0;
      sum += KEEP == keep_count ? floor(amount) : amount;
    }
    keep = heads == 1 ? sum : sum / heads;
    slack = 1e-7; // as an f32 it is off by up to 3e-8
  }

  /// How many candidates become critical, given how many the rule names; fractions and counts name none but follow from the
  /// census.
  TERCET_DEVICE index kept(const Census &census, index named) const {
    index number = KEEP == keep_fraction || KEEP == keep_count
                       ? block_count<ROUNDING, KEEP == keep_count>(keep, slack, census.blocks)
                       : named + (FORCED_COUNTS ? census.forced : 0);
    if (keep > 0)
      number = larger(number, min_keep);
    number = smaller(number, max_keep) - (FORCED_COUNTS ? census.forced : 0);
    return smaller(larger(number, 0), census.candidates);
  }

  TERCET_DEVICE index dropped(const Census &census, index kept) const {
    return smaller(block_count<ROUNDING, DROP_COUNT>(drop, 1e-9, census.blocks), census.candidates - kept);
  }

  /// percentile: the rank, from the best on, of the worst candidate that is kept whatever ties it has.
  TERCET_DEVICE index percentile_rank(index candidates) const {
    const double all = static_cast<double>(candidates);
    const double position = ceil(__dadd_rn(__dmul_rn(keep, all), -__dmul_rn(slack, all)));
    return candidates + 1 - larger(static_cast<index>(position), 1);
  }

  /// by_mass: the weight that is wanted of the best, where non-empty blocks weigh `total` and those that use up keep `forced`.
  /// The block that reaches it is the last that is kept, or under keep_within the first that is not; all is more than any reach.
  TERCET_DEVICE double wanted_weight(double total, double forced) const {
    const double share = KEEP == keep_mass ? keep - 1e-9 : keep < 1 ? keep + 1e-9 : 2.0;
    return keep == 0 ? 0.0 : share * total - (FORCED_COUNTS ? forced : 0.0);
  }
};

} // namespace tercet::dev
