// SelectRules: which blocks of a scope become critical, negligible and marginal (docs/spec.md#select).
#pragma once

#include "Scores.h"

#include <span>

namespace tercet::reference {

/// A selection with its numbers bound.
struct SelectionRule {
  KeepUnit keepUnit;
  double drop;
  bool dropIsCount;
  Rounding rounding;
  int64_t minKeep;
  std::optional<int64_t> maxKeep;
  bool forcedCounts;
};
SelectionRule bindRule(const Selection &selection, const Operands &operands);

/// An amount of keep; slack takes up the rounding of a decimal fraction, per block.
struct Amount {
  double value = 0, slack = 1e-9;
};
/// The amount for these heads: keep, or the mean of their budgets within the range that keep may have.
Amount keepOf(const Selection &selection, const Operands &operands, int64_t firstHead, int64_t heads);

/// One row of blocks as selection sees it. ranks order the candidates; slacks are how far a target's ranks and shares may be
/// off.
struct SelectRow {
  BlockRow rules;
  std::vector<double> ranks, rankSlack, shares, shareSlack;
};

/// A block that rules neither force, forbid nor empty.
struct Candidate {
  size_t row = 0, block = 0;
  double rank = 0, rankSlack = 0, share = 0, shareSlack = 0;
};

/// The rows of one scope: counted, and with their candidates from the best to the worst.
class ScopeRanking {
public:
  ScopeRanking(const SelectionRule &rule, Amount keep, std::span<const SelectRow> rows);

  /// The class of every block of every row.
  std::vector<std::vector<int8_t>> classes() const;
  /// How many candidates become critical, and how many of the others negligible, given the critical ones.
  int64_t kept() const { return keptWithin(0); }
  int64_t dropped(int64_t kept) const;
  /// The fewest and the most candidates that become critical where sums and comparisons with a cut may be off by the slacks.
  int64_t fewestKept() const { return keptWithin(-1); }
  int64_t mostKept() const { return keptWithin(1); }
  /// Best first; equal ranks in order of row and block.
  const std::vector<Candidate> &candidates() const { return sorted; }
  /// The class of a block that is no candidate.
  static int8_t fixedClass(const BlockRow &rules, size_t block);
  static bool isCandidate(const BlockRow &rules, size_t block);

private:
  const SelectionRule &rule;
  Amount keep;
  std::span<const SelectRow> rows;
  std::vector<Candidate> sorted;
  int64_t nonEmpty = 0, forced = 0; ///< forced: without partial blocks
  double totalShare = 0, forcedShare = 0, totalSlack = 0, largestShare = 0, largestSlack = 0;

  int64_t keptWithin(int looseness) const;
  int64_t byMass(double looseness) const;
  int64_t byCut(double looseness) const;
};

/// How many of `candidates` a rule of counts keeps in a scope of `nonEmpty` blocks, `forced` of them forced and not partial;
/// and how many of the rest it drops.
int64_t keptByCount(const SelectionRule &rule, Amount keep, int64_t nonEmpty, int64_t forced, int64_t candidates);
int64_t droppedByCount(const SelectionRule &rule, int64_t nonEmpty, int64_t rest);

} // namespace tercet::reference
