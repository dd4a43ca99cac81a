// Selection by sorting a whole scope: slow, and obviously the rule.
#include "SelectRules.h"

#include <algorithm>

namespace tercet::reference {
namespace {

/// An f32 budget is off by up to 3e-8 of the decimal fraction that it stands for.
constexpr double budgetSlack = 1e-7;

int64_t countOf(Amount amount, bool isCount, Rounding rounding, int64_t n) {
  double all = static_cast<double>(n);
  double blocks = amount.value * all, slack = amount.slack * all;
  double count = isCount                       ? amount.value
                 : rounding == Rounding::floor ? std::floor(blocks + slack)
                 : rounding == Rounding::ceil  ? std::ceil(blocks - slack)
                                               : std::floor(blocks + 0.5);
  return static_cast<int64_t>(std::clamp(count, 0.0, all));
}

/// What min_keep and max_keep make of a number of critical blocks, and the candidates among them.
int64_t bounded(const SelectionRule &rule, bool keepsAny, int64_t count, int64_t forced, int64_t candidates) {
  if (keepsAny)
    count = std::max(count, rule.minKeep);
  if (rule.maxKeep)
    count = std::min(count, *rule.maxKeep);
  return std::clamp<int64_t>(rule.forcedCounts ? count - forced : count, 0, candidates);
}

} // namespace

SelectionRule bindRule(const Selection &selection, const Operands &operands) {
  auto integer = [&](const Number &number) { return static_cast<int64_t>(operands.value(number)); };
  SelectionRule rule{.keepUnit = selection.keepUnit,
                     .drop = operands.value(selection.drop),
                     .dropIsCount = selection.dropIsCount,
                     .rounding = selection.rounding,
                     .minKeep = integer(selection.minKeep),
                     .forcedCounts = selection.forcedCounts};
  if (selection.maxKeep)
    rule.maxKeep = integer(*selection.maxKeep);
  return rule;
}

Amount keepOf(const Selection &selection, const Operands &operands, int64_t firstHead, int64_t heads) {
  if (selection.budgets.empty())
    return {operands.value(selection.keep)};
  const Tensor &table = *operands.arguments->find(selection.budgets);
  double sum = 0;
  for (int64_t head = firstHead; head < firstHead + heads; ++head) {
    double budget = table.get(std::min(head, table.shape[0] - 1));
    double legal = std::isnan(budget) ? 0 : std::max(budget, 0.0);
    sum += selection.keepUnit == KeepUnit::count ? std::floor(legal) : std::min(legal, 1.0);
  }
  return {sum / static_cast<double>(heads), budgetSlack};
}

int64_t keptByCount(const SelectionRule &rule, Amount keep, int64_t nonEmpty, int64_t forced, int64_t candidates) {
  int64_t count = countOf(keep, rule.keepUnit == KeepUnit::count, rule.rounding, nonEmpty);
  return bounded(rule, keep.value > 0, count, forced, candidates);
}

int64_t droppedByCount(const SelectionRule &rule, int64_t nonEmpty, int64_t rest) {
  return std::min(countOf({rule.drop}, rule.dropIsCount, rule.rounding, nonEmpty), rest);
}

bool ScopeRanking::isCandidate(const BlockRow &rules, size_t block) {
  return rules.coverage[block] == Coverage::full && !rules.forced[block] && !rules.forbidden[block];
}

int8_t ScopeRanking::fixedClass(const BlockRow &rules, size_t block) {
  bool isCritical = rules.coverage[block] == Coverage::partial || rules.forced[block];
  return isCritical ? 1 : -1;
}

ScopeRanking::ScopeRanking(const SelectionRule &rule, Amount keep, std::span<const SelectRow> rows)
    : rule(rule), keep(keep), rows(rows) {
  for (size_t index = 0; index < rows.size(); ++index) {
    const SelectRow &row = rows[index];
    for (size_t j = 0; j < row.rules.coverage.size(); ++j) {
      Coverage coverage = row.rules.coverage[j];
      if (coverage == Coverage::empty)
        continue;
      ++nonEmpty;
      largestShare = std::max(largestShare, row.shares[j]);
      largestSlack = std::max(largestSlack, row.shareSlack[j]);
      totalShare += row.shares[j];
      totalSlack += row.shareSlack[j];
      if (coverage == Coverage::full && row.rules.forced[j]) {
        ++forced;
        forcedShare += row.shares[j];
      }
      if (isCandidate(row.rules, j))
        sorted.push_back({index, j, row.ranks[j], row.rankSlack[j], row.shares[j], row.shareSlack[j]});
    }
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Candidate &a, const Candidate &b) { return a.rank > b.rank; });
}

int64_t ScopeRanking::byMass(double looseness) const {
  if (keep.value == 0)
    return 0;
  double sum = rule.forcedCounts ? forcedShare : 0;
  bool isWithin = rule.keepUnit == KeepUnit::within;
  double wanted = (isWithin ? keep.value + 1e-9 : keep.value - 1e-9) * totalShare + looseness * totalSlack;
  int64_t count = 0;
  while (count < static_cast<int64_t>(sorted.size()) && sum < wanted)
    sum += sorted[count++].share;
  bool isCrossed = count > 0 && sum >= wanted && keep.value < 1;
  return isWithin && isCrossed ? count - 1 : count;
}

int64_t ScopeRanking::byCut(double looseness) const {
  auto reaching = [&](auto reaches) { return std::count_if(sorted.begin(), sorted.end(), reaches); };
  if (rule.keepUnit != KeepUnit::percentile) {
    bool isRelative = rule.keepUnit == KeepUnit::relative;
    double cut = isRelative ? keep.value * largestShare : keep.value;
    double cutSlack = isRelative ? keep.value * largestSlack : 0;
    return reaching(
        [&](const Candidate &block) { return block.share + looseness * (block.shareSlack + cutSlack) >= cut; });
  }
  auto all = static_cast<int64_t>(sorted.size());
  auto position = static_cast<int64_t>(std::ceil((keep.value - keep.slack) * static_cast<double>(all)));
  if (position <= 0)
    return all;
  int64_t atLeast = all - position + 1; // the cut's own block and all that rank above it
  const Candidate &cut = sorted[atLeast - 1];
  int64_t found = reaching([&](const Candidate &block) {
    return block.rank == cut.rank || block.rank + looseness * (block.rankSlack + cut.rankSlack) >= cut.rank;
  });
  return std::max(found, atLeast);
}

int64_t ScopeRanking::keptWithin(int looseness) const {
  auto all = static_cast<int64_t>(sorted.size());
  switch (rule.keepUnit) {
  case KeepUnit::fraction:
  case KeepUnit::count:
    return keptByCount(rule, keep, nonEmpty, forced, all);
  case KeepUnit::mass:
  case KeepUnit::within:
    return bounded(rule, keep.value > 0, byMass(looseness) + (rule.forcedCounts ? forced : 0), forced, all);
  case KeepUnit::above:
  case KeepUnit::relative:
  case KeepUnit::percentile:
    return bounded(rule, keep.value > 0, byCut(looseness) + (rule.forcedCounts ? forced : 0), forced, all);
  }
  return 0;
}

int64_t ScopeRanking::dropped(int64_t kept) const {
  return droppedByCount(rule, nonEmpty, static_cast<int64_t>(sorted.size()) - kept);
}

std::vector<std::vector<int8_t>> ScopeRanking::classes() const {
  std::vector<std::vector<int8_t>> classes;
  for (const SelectRow &row : rows) {
    std::vector<int8_t> &values = classes.emplace_back(row.rules.coverage.size());
    for (size_t j = 0; j < values.size(); ++j)
      values[j] = isCandidate(row.rules, j) ? 0 : fixedClass(row.rules, j);
  }
  int64_t keptCount = kept();
  for (int64_t index = 0; index < keptCount; ++index)
    classes[sorted[index].row][sorted[index].block] = 1;
  std::vector<Candidate> rest(sorted.begin() + keptCount, sorted.end());
  std::stable_sort(rest.begin(), rest.end(), [](const Candidate &a, const Candidate &b) {
    return std::pair(a.row, a.block) < std::pair(b.row, b.block);
  });
  std::stable_sort(rest.begin(), rest.end(), [](const Candidate &a, const Candidate &b) { return a.rank < b.rank; });
  for (int64_t index = 0, end = dropped(keptCount); index < end; ++index)
    classes[rest[index].row][rest[index].block] = -1;
  return classes;
}

} // namespace tercet::reference
