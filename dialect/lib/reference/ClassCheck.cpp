// Compares class maps scope by scope.
#include "ClassCheck.h"

#include "Classify.h"

#include <algorithm>

namespace tercet::reference {
namespace {

/// How far a target's likeness of the tokens of a block may be off.
constexpr double likenessTolerance = 1e-5;

using Rows = std::vector<std::vector<int8_t>>;

/// One scope under comparison; got and right hold one row per row of the scope.
struct ScopeCheck {
  const Selection &selection;
  const ScopeRanking &ranking;
  const ScopeRows &scope;
  const Rows &right, &got;

  std::string blockName(size_t row, size_t block) const {
    return selection.scope == Scope::row
               ? fmt::format("block {}", block)
               : fmt::format("block ({}, {}, {})", scope.at[row].first, scope.at[row].second, block);
  }

  /// What is wrong with the scope; empty when nothing is. exact: ranks leave no freedom.
  std::string fault(bool exact) const {
    if (got == right)
      return {};
    for (const auto &check : {&ScopeCheck::illegalClass, &ScopeCheck::wrongFixedBlock, &ScopeCheck::wrongCount})
      if (std::string fault = (this->*check)(); !fault.empty())
        return fault;
    return exact ? wrongTie() : misplaced();
  }

  std::string illegalClass() const {
    for (size_t row = 0; row < got.size(); ++row)
      for (size_t j = 0; j < got[row].size(); ++j)
        if (got[row][j] < -1 || got[row][j] > 1)
          return fmt::format("{} has class {}; legal are 1, 0 and -1", blockName(row, j), got[row][j]);
    return {};
  }

  std::string wrongFixedBlock() const {
    for (size_t row = 0; row < got.size(); ++row)
      for (size_t j = 0; j < got[row].size(); ++j) {
        const BlockRow &rules = scope.rows[row].rules;
        if (ScopeRanking::isCandidate(rules, j) || got[row][j] == right[row][j])
          continue;
        const char *why = rules.coverage[j] == Coverage::empty     ? "empty"
                          : rules.coverage[j] == Coverage::partial ? "partial"
                          : rules.forced[j]                        ? "forced"
                                                                   : "forbidden";
        return fmt::format("{} has class {}, expected {} ({})", blockName(row, j), got[row][j], right[row][j], why);
      }
    return {};
  }

  int64_t candidatesOf(int8_t value, const Rows &rows) const {
    return std::count_if(ranking.candidates().begin(), ranking.candidates().end(),
                         [&](const Candidate &at) { return rows[at.row][at.block] == value; });
  }

  std::string wrongCount() const {
    int64_t kept = candidatesOf(1, got), fewest = ranking.fewestKept(), most = ranking.mostKept();
    int64_t others = 0; // critical blocks that are no candidates
    for (const std::vector<int8_t> &row : right)
      others += std::count(row.begin(), row.end(), 1);
    others -= candidatesOf(1, right);
    if (kept < fewest || kept > most)
      return fmt::format("has {} blocks of class 1, expected {}", kept + others,
                         fewest == most ? fmt::format("{}", fewest + others)
                                        : fmt::format("{} to {}", fewest + others, most + others));
    int64_t dropped = candidatesOf(-1, got), expected = ranking.dropped(kept);
    if (dropped != expected)
      return fmt::format("has {} blocks of class -1 among those that rank, expected {}", dropped, expected);
    return {};
  }

  std::string wrongTie() const {
    for (size_t row = 0; row < got.size(); ++row)
      for (size_t j = 0; j < got[row].size(); ++j)
        if (got[row][j] != right[row][j])
          return fmt::format("{} has class {}, expected {} (equal scores go to the lowest index)", blockName(row, j),
                             got[row][j], right[row][j]);
    return {};
  }

  /// A block of a higher class than one that ranks higher beyond doubt.
  std::string misplaced() const {
    for (int8_t value : {1, 0}) {
      const Candidate *high = nullptr, *low = nullptr;
      for (const Candidate &at : ranking.candidates()) {
        if (got[at.row][at.block] >= value)
          low = !low || at.rank + at.rankSlack < low->rank + low->rankSlack ? &at : low;
        else
          high = !high || at.rank - at.rankSlack > high->rank - high->rankSlack ? &at : high;
      }
      if (low && high && high->rank - high->rankSlack > low->rank + low->rankSlack)
        return fmt::format("{} (score {:.9g}) has class {}, above {} (score {:.9g}) of class {}",
                           blockName(low->row, low->block), low->rank, got[low->row][low->block],
                           blockName(high->row, high->block), high->rank, got[high->row][high->block]);
    }
    return {};
  }
};

class MapCheck {
public:
  MapCheck(const Program &program, const Operands &operands, const Tensor &got, bool exactTies)
      : selection(*program.selection), program(program), operands(operands), got(got),
        rule(bindRule(selection, operands)) {
    bool ranksScores = selection.keepUnit == KeepUnit::fraction || selection.keepUnit == KeepUnit::count ||
                       selection.keepUnit == KeepUnit::percentile;
    isExact = (exactTies || selection.scores.kind == ScoreSource::Kind::given) && ranksScores &&
              selection.scope != Scope::group;
  }

  void checkGiven(const Family &family, const std::set<int64_t> &queryBlocks) {
    FamilyBlocks blocks(program, operands, family);
    for (int64_t i : queryBlocks) {
      const std::vector<Coverage> &coverage = blocks.rules(family.head, i).coverage;
      std::string fault;
      for (size_t j = 0; j < coverage.size(); ++j) {
        int8_t right = givenClass(operands, coverage[j], family.batch, family.head, i, static_cast<int64_t>(j));
        int8_t found = at(family.batch, family.head, i, j);
        verdict.different += found != right;
        if (found != right && fault.empty())
          fault = fmt::format("block {} has class {}, expected {} ({})", j, found, right,
                              coverage[j] == Coverage::empty     ? "empty"
                              : coverage[j] == Coverage::partial ? "partial"
                                                                 : "as handed in");
      }
      verdict.blocks += static_cast<int64_t>(coverage.size());
      report(fmt::format("row ({}, {}, {})", family.batch, family.head, i), fault);
    }
  }

  void checkSelected(const Family &family, const std::set<int64_t> &queryBlocks) {
    std::vector<double> shifts = {0};
    if (selection.scores.guard)
      shifts = {0, -likenessTolerance, likenessTolerance};
    std::vector<FamilyBlocks> shifted;
    for (double shift : shifts)
      shifted.emplace_back(program, operands, family, shift);
    for (const std::vector<int64_t> &scope : shifted[0].scopes(queryBlocks)) {
      std::string first = faultOf(family, shifted[0], scope, /*counts=*/true), fault = first;
      for (size_t other = 1; other < shifted.size() && !fault.empty(); ++other)
        fault = faultOf(family, shifted[other], scope, /*counts=*/false);
      report(placeOf(family, scope), fault.empty() ? fault : first);
    }
  }

  ClassVerdict verdict;

private:
  const Selection &selection;
  const Program &program;
  const Operands &operands;
  const Tensor &got;
  SelectionRule rule;
  bool isExact;

  int8_t at(int64_t b, int64_t h, int64_t i, size_t j) const {
    return static_cast<int8_t>(got.get(b, h, i, static_cast<int64_t>(j)));
  }

  void report(const std::string &place, const std::string &fault) {
    if (!fault.empty() && verdict.wrongRows++ == 0)
      verdict.first = fmt::format("classes of {}: {}", place, fault);
  }

  std::string placeOf(const Family &family, const std::vector<int64_t> &scope) const {
    switch (selection.scope) {
    case Scope::row:
      return fmt::format("row ({}, {}, {})", family.batch, family.head, scope[0]);
    case Scope::head:
      return fmt::format("head ({}, {})", family.batch, family.head);
    case Scope::allHeads:
      return fmt::format("batch entry {}", family.batch);
    case Scope::group:
      break;
    }
    return fmt::format("row ({}, {} to {}, {})", family.batch, family.head, family.head + family.heads - 1, scope[0]);
  }

  std::string faultOf(const Family &family, FamilyBlocks &blocks, const std::vector<int64_t> &scope, bool counts) {
    ScopeRows loaded = blocks.load(scope);
    ScopeRanking ranking(rule, blocks.keep(), loaded.rows);
    Rows right = ranking.classes(), found;
    std::string fault;
    for (size_t row = 0; row < right.size(); ++row) {
      auto [first, i] = loaded.at[row];
      found.push_back(right[row]);
      std::vector<int64_t> speakers(right[row].size(), -1); // the head whose class stands in `found`
      for (int64_t head : blocks.headsOf(first)) {
        const std::vector<Coverage> &coverage = blocks.rules(head, i).coverage;
        for (size_t j = 0; j < coverage.size(); ++j) {
          int8_t value = at(family.batch, head, i, j);
          bool isEmpty = coverage[j] == Coverage::empty;
          if (counts)
            verdict.different += value != (isEmpty ? int8_t(-1) : right[row][j]);
          if (isEmpty) {
            if (loaded.rows[row].rules.coverage[j] == Coverage::empty)
              found[row][j] = value;
            else if (value != -1 && fault.empty())
              fault = fmt::format("block {} of head {} has class {}, expected -1 (empty)", j, head, value);
            continue;
          }
          if (speakers[j] >= 0 && found[row][j] != value && fault.empty())
            fault = fmt::format("block {} has class {} for head {} and {} for head {}; heads of a group share classes",
                                j, found[row][j], speakers[j], value, head);
          found[row][j] = value;
          speakers[j] = head;
        }
        if (counts)
          verdict.blocks += static_cast<int64_t>(coverage.size());
      }
    }
    if (!fault.empty())
      return fault;
    return ScopeCheck{selection, ranking, loaded, right, found}.fault(isExact);
  }
};

} // namespace

ClassVerdict checkClassMap(const Program &program, const Operands &operands, const std::vector<RowIndex> &rows,
                           const Tensor &got, bool exactTies) {
  MapCheck check(program, operands, got, exactTies);
  for (const auto &[family, queryBlocks] : touchedBlocks(*program.selection, operands, rows)) {
    if (operands.classes)
      check.checkGiven(family, queryBlocks);
    else
      check.checkSelected(family, queryBlocks);
  }
  return std::move(check.verdict);
}

bool areClasses(const Tensor &classes) {
  for (int64_t b = 0; b < classes.shape[0]; ++b)
    for (int64_t h = 0; h < classes.shape[1]; ++h)
      for (int64_t i = 0; i < classes.shape[2]; ++i)
        for (int64_t j = 0; j < classes.shape[3]; ++j)
          if (double value = classes.get(b, h, i, j); value < -1 || value > 1)
            return false;
  return true;
}

} // namespace tercet::reference
