// Selection by sorting a whole row: slow, and obviously the rule.
#include "Select.h"

#include <algorithm>
#include <numeric>

namespace tercet::reference {

SelectionRule bindRule(const Selection &selection, const Operands &operands) {
  return {.blockQ = selection.blockQ,
          .blockK = selection.blockK,
          .keep = operands.value(selection.keep),
          .drop = operands.value(selection.drop),
          .keepIsCount = selection.keepIsCount,
          .dropIsCount = selection.dropIsCount,
          .rounding = selection.rounding,
          .minKeep = static_cast<int64_t>(operands.value(selection.minKeep)),
          .sink = static_cast<int64_t>(operands.value(selection.sink)),
          .diagonal = selection.diagonal,
          .forcedCounts = selection.forcedCounts};
}

/// A fraction of n blocks as a count. For floor and ceil, 1e-9 n absorbs the rounding of a fraction written in decimal:
/// 0.05 of 20 is 1.
static int64_t countOf(double amount, bool isCount, Rounding rounding, int64_t n) {
  if (isCount)
    return static_cast<int64_t>(std::min(amount, static_cast<double>(n)));
  double blocks = amount * static_cast<double>(n), slack = 1e-9 * static_cast<double>(n);
  double count = rounding == Rounding::floor  ? std::floor(blocks + slack)
                 : rounding == Rounding::ceil ? std::ceil(blocks - slack)
                                              : std::floor(blocks + 0.5);
  return std::clamp<int64_t>(static_cast<int64_t>(count), 0, n);
}

RowQuota rowQuota(const SelectionRule &rule, int64_t queryBlock, int64_t blocksK, int64_t tokensQ, int64_t tokensK) {
  RowQuota quota;
  int64_t firstRow = queryBlock * rule.blockQ, endRow = std::min(firstRow + rule.blockQ, tokensQ);
  int64_t nonEmpty = 0, forced = 0;
  for (int64_t j = 0; j < blocksK; ++j) {
    int64_t firstKey = j * rule.blockK, endKey = std::min(firstKey + rule.blockK, tokensK);
    bool empty = firstRow >= endRow || firstKey >= endKey;
    bool onDiagonal = rule.diagonal && std::max(firstRow, firstKey) < std::min(endRow, endKey);
    quota.empty.push_back(empty);
    quota.forced.push_back(!empty && (j < rule.sink || onDiagonal));
    nonEmpty += !empty;
    forced += quota.forced.back();
  }
  int64_t candidates = nonEmpty - forced;
  int64_t keep = countOf(rule.keep, rule.keepIsCount, rule.rounding, nonEmpty);
  if (rule.keep > 0)
    keep = std::max(keep, rule.minKeep);
  if (rule.forcedCounts)
    keep = std::max<int64_t>(keep - forced, 0);
  quota.kept = std::min(keep, candidates);
  quota.dropped = std::min(countOf(rule.drop, rule.dropIsCount, rule.rounding, nonEmpty), candidates - quota.kept);
  return quota;
}

std::vector<int8_t> classifyRow(const RowQuota &quota, std::span<const double> scores) {
  std::vector<int8_t> classes(scores.size(), -1);
  std::vector<size_t> candidates;
  for (size_t j = 0; j < scores.size(); ++j) {
    if (quota.forced[j])
      classes[j] = 1;
    else if (!quota.empty[j])
      candidates.push_back(j);
  }
  auto rank = [&](size_t j) { return std::isnan(scores[j]) ? -HUGE_VAL : scores[j]; };
  std::stable_sort(candidates.begin(), candidates.end(), [&](size_t a, size_t b) { return rank(a) > rank(b); });
  std::vector<size_t> rest(candidates.begin() + quota.kept, candidates.end());
  for (int64_t index = 0; index < quota.kept; ++index)
    classes[candidates[index]] = 1;
  std::sort(rest.begin(), rest.end());
  std::stable_sort(rest.begin(), rest.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
  for (size_t index = 0; index < rest.size(); ++index)
    classes[rest[index]] = index < static_cast<size_t>(quota.dropped) ? -1 : 0;
  return classes;
}

std::vector<double> blockMeans(const Tensor &tokens, int64_t batch, int64_t head, int64_t length, int64_t block) {
  int64_t dimension = tokens.shape[3], blocks = (tokens.shape[2] + block - 1) / block;
  std::vector<double> means(blocks * dimension, 0.0);
  for (int64_t t = 0; t < length; ++t)
    for (int64_t c = 0; c < dimension; ++c)
      means[t / block * dimension + c] += tokens.get(batch, head, t, c);
  for (int64_t i = 0; i < blocks; ++i)
    if (int64_t valid = std::min(block, length - i * block); valid > 0)
      for (int64_t c = 0; c < dimension; ++c)
        means[i * dimension + c] /= static_cast<double>(valid);
  return means;
}

HeadScores::HeadScores(const SelectionRule &rule, const Operands &operands, int64_t batch, int64_t head)
    : rule(rule), dimension(operands.sizes.headDim), lengthQ(operands.lengthQ(batch)), lengthK(operands.lengthK(batch)),
      blocksK(operands.sizes.blocksK), meanQ(blockMeans(operands.q, batch, head, lengthQ, rule.blockQ)),
      meanK(blockMeans(operands.k, batch, operands.kvHead(head), lengthK, rule.blockK)) {}

static double dot(const double *a, const double *b, int64_t dimension) {
  return std::inner_product(a, a + dimension, b, 0.0);
}

std::vector<double> HeadScores::row(int64_t queryBlock) const {
  std::vector<double> scores;
  for (int64_t j = 0; j < blocksK; ++j)
    scores.push_back(dot(&meanQ[queryBlock * dimension], &meanK[j * dimension], dimension));
  return scores;
}

double HeadScores::normQ(int64_t queryBlock) const {
  const double *mean = &meanQ[queryBlock * dimension];
  return std::sqrt(dot(mean, mean, dimension));
}

double HeadScores::normK(int64_t keyBlock) const {
  const double *mean = &meanK[keyBlock * dimension];
  return std::sqrt(dot(mean, mean, dimension));
}

RowQuota HeadScores::quota(int64_t queryBlock) const { return rowQuota(rule, queryBlock, blocksK, lengthQ, lengthK); }

} // namespace tercet::reference
