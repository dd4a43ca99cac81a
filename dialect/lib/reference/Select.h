// Select: block means, pooled scores and the selection rule of one row (docs/spec.md#select), in fp64.
#pragma once

#include "Operands.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tercet::reference {

/// A selection with its numbers bound.
struct SelectionRule {
  int64_t blockQ, blockK;
  double keep, drop;
  bool keepIsCount, dropIsCount;
  Rounding rounding;
  int64_t minKeep, sink;
  bool diagonal, forcedCounts;
};
SelectionRule bindRule(const Selection &selection, const Operands &operands);

/// What a row's selection must come to, before any score is looked at.
struct RowQuota {
  std::vector<bool> empty, forced; ///< per key block
  int64_t kept = 0, dropped = 0;   ///< of the candidates: neither empty nor forced
};
/// tokensQ, tokensK: the valid tokens of this batch.
RowQuota rowQuota(const SelectionRule &rule, int64_t queryBlock, int64_t blocksK, int64_t tokensQ, int64_t tokensK);

/// +1, 0, -1 per key block: forced and the best `kept` critical, the worst `dropped` of the others negligible; ties to
/// the lowest index; NaN scores rank below every number.
std::vector<int8_t> classifyRow(const RowQuota &quota, std::span<const double> scores);

/// Means over the valid tokens of each block of one head of a token tensor: [blocks][dimension]; 0 where none is valid.
std::vector<double> blockMeans(const Tensor &tokens, int64_t batch, int64_t head, int64_t length, int64_t block);

/// Pooled scores and everything they come from, for one head.
class HeadScores {
public:
  HeadScores(const SelectionRule &rule, const Operands &operands, int64_t batch, int64_t head);
  /// mean q . mean k for every key block, without the scale: a positive factor changes no rank.
  std::vector<double> row(int64_t queryBlock) const;
  double normQ(int64_t queryBlock) const;
  double normK(int64_t keyBlock) const;
  RowQuota quota(int64_t queryBlock) const;

private:
  SelectionRule rule;
  int64_t dimension, lengthQ, lengthK, blocksK;
  std::vector<double> meanQ, meanK;
};

} // namespace tercet::reference
