// Compares class maps row by row.
#include "ClassCheck.h"

#include "Select.h"

#include <algorithm>
#include <map>
#include <set>

namespace tercet::reference {
namespace {

/// Relative to |mean q| |mean k|: fp32 sums over a block and a head dimension stay well inside (docs/numerics.md).
constexpr double scoreTolerance = 1e-5;

/// One row under comparison.
struct RowCheck {
  const RowQuota &quota;
  const std::vector<double> &scores, &slack; ///< slack: how far the target's score of a block may be off
  const std::vector<int8_t> &right, &got;

  bool isCandidate(size_t j) const { return !quota.empty[j] && !quota.forced[j]; }

  /// A block of a higher class than one that scores higher beyond doubt.
  std::optional<std::pair<size_t, size_t>> misplaced() const {
    for (size_t low = 0; low < got.size(); ++low)
      for (size_t high = 0; high < got.size(); ++high)
        if (isCandidate(low) && isCandidate(high) && got[low] > got[high] &&
            scores[high] - scores[low] > std::max(slack[low], slack[high]))
          return std::pair{low, high};
    return {};
  }

  /// What is wrong with the row; empty when nothing is. exact: `right` leaves no freedom, for the reason in `why`.
  std::string fault(bool exact, std::string_view why) const {
    if (got == right)
      return {};
    for (size_t j = 0; j < got.size(); ++j)
      if (got[j] < -1 || got[j] > 1)
        return fmt::format("block {} has class {}; legal are 1, 0 and -1", j, got[j]);
    for (int8_t value : {1, 0, -1})
      if (auto [found, expected] =
              std::pair{std::count(got.begin(), got.end(), value), std::count(right.begin(), right.end(), value)};
          found != expected)
        return fmt::format("has {} blocks of class {}, expected {}", found, value, expected);
    for (size_t j = 0; j < got.size(); ++j)
      if (got[j] != right[j] && (exact || !isCandidate(j)))
        return fmt::format("block {} has class {}, expected {} ({})", j, got[j], right[j],
                           quota.empty[j]    ? "empty"
                           : quota.forced[j] ? "forced"
                                             : why);
    if (auto pair = misplaced())
      return fmt::format("block {} (score {:.9g}) has class {}, above block {} (score {:.9g}) of class {}", pair->first,
                         scores[pair->first], got[pair->first], pair->second, scores[pair->second], got[pair->second]);
    return {};
  }
};

} // namespace

ClassVerdict checkClassMap(const Program &program, const Operands &operands, const std::vector<RowIndex> &rows,
                           const Tensor &got, bool exactTies) {
  ClassVerdict verdict;
  SelectionRule rule = bindRule(*program.selection, operands);
  int64_t blocksK = operands.sizes.blocksK;
  std::map<std::pair<int64_t, int64_t>, std::set<int64_t>> heads;
  for (const RowIndex &row : rows)
    heads[{row.batch, row.head}].insert(row.row / rule.blockQ);
  for (const auto &[at, queryBlocks] : heads) {
    auto [b, h] = at;
    HeadScores head(rule, operands, b, h);
    for (int64_t i : queryBlocks) {
      RowQuota quota = head.quota(i);
      std::vector<double> scores = head.row(i), slack;
      std::vector<int8_t> right = classifyRow(quota, scores), found;
      const Tensor &given = operands.classes;
      for (int64_t j = 0; j < blocksK; ++j) {
        if (given)
          right[j] =
              quota.empty[j]
                  ? -1
                  : static_cast<int8_t>(given.get(given.shape[0] == 1 ? 0 : b, given.shape[1] == 1 ? 0 : h, i, j));
        found.push_back(static_cast<int8_t>(got.get(b, h, i, j)));
        slack.push_back(scoreTolerance * head.normQ(i) * head.normK(j));
        verdict.different += found[j] != right[j];
      }
      verdict.blocks += blocksK;
      std::string fault = RowCheck{quota, scores, slack, right, found}.fault(
          exactTies || given, given ? "as handed in" : "equal scores go to the lowest index");
      if (!fault.empty() && verdict.wrongRows++ == 0)
        verdict.first = fmt::format("classes of row ({}, {}, {}): {}", b, h, i, fault);
    }
  }
  return verdict;
}

} // namespace tercet::reference
