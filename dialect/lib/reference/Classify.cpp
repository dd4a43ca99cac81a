// Joins rules, scores and selection: what a scope is, and which heads it speaks for.
#include "Classify.h"

#include <algorithm>

namespace tercet::reference {
namespace {

Family familyOf(const Selection &selection, const Operands &operands, int64_t batch, int64_t head) {
  int64_t group = operands.sizes.headsQ / operands.sizes.headsKV;
  if (selection.scope == Scope::group && !operands.classes)
    return {batch, head / group * group, group};
  if (selection.scope == Scope::allHeads && !operands.classes)
    return {batch, 0, operands.sizes.headsQ};
  return {batch, head, 1};
}

bool ranksByShare(const Selection &selection) {
  return selection.byShare || selection.keepUnit == KeepUnit::mass || selection.keepUnit == KeepUnit::within ||
         selection.keepUnit == KeepUnit::above || selection.keepUnit == KeepUnit::relative;
}

} // namespace

std::map<Family, std::set<int64_t>> touchedBlocks(const Selection &selection, const Operands &operands,
                                                  const std::vector<RowIndex> &rows) {
  std::map<Family, std::set<int64_t>> families;
  for (const RowIndex &row : rows)
    families[familyOf(selection, operands, row.batch, row.head)].insert(operands.queryBlocks.blockOf(row.row));
  return families;
}

FamilyBlocks::FamilyBlocks(const Program &program, const Operands &operands, Family family, double guardShift)
    : selection(*program.selection), operands(operands), family(family), guardShift(guardShift) {
  for (int64_t head = family.head; head < family.head + family.heads; ++head) {
    blockRules.emplace_back(program, operands, family.batch, head);
    if (!operands.classes)
      headScores.push_back(HeadScores::make(program, operands, family.batch, head));
  }
}

std::vector<std::vector<int64_t>> FamilyBlocks::scopes(const std::set<int64_t> &queryBlocks) const {
  std::vector<std::vector<int64_t>> scopes;
  if (selection.scope == Scope::row || selection.scope == Scope::group) {
    for (int64_t block : queryBlocks)
      scopes.push_back({block});
    return scopes;
  }
  scopes.emplace_back();
  for (int64_t block = 0; block < operands.sizes.blocksQ; ++block)
    scopes.back().push_back(block);
  return scopes;
}

const BlockRow &FamilyBlocks::rules(int64_t head, int64_t queryBlock) {
  auto found = known.find({head, queryBlock});
  if (found == known.end())
    found = known.emplace(std::pair(head, queryBlock), blockRules[head - family.head].row(queryBlock)).first;
  return found->second;
}

SelectRow FamilyBlocks::rowOf(int64_t head, int64_t queryBlock) {
  SelectRow row{.rules = rules(head, queryBlock)};
  const HeadScores *scores = headScores[head - family.head].get();
  size_t blocks = row.rules.coverage.size();
  if (!scores) {
    for (std::vector<double> *values : {&row.ranks, &row.rankSlack, &row.shares, &row.shareSlack})
      values->resize(blocks);
    return row;
  }
  if (selection.scores.guard) {
    double guard = operands.value(*selection.scores.guard) + guardShift;
    for (size_t j = 0; j < blocks; ++j)
      if (row.rules.coverage[j] != Coverage::empty &&
          (scores->likenessQ[queryBlock] < guard || scores->likenessK[j] < guard))
        row.rules.forced[j] = true;
  }
  std::vector<Coverage> inSoftmax = row.rules.coverage;
  auto isApart = [&](size_t j) {
    return selection.apart && row.rules.forced[j] && row.rules.coverage[j] == Coverage::full;
  };
  bool areShares = selection.scores.areShares(); // which are P of all blocks
  for (size_t j = 0; j < blocks; ++j)
    if (isApart(j) && !areShares)
      inSoftmax[j] = Coverage::empty;
  ScoreRow scored = scores->row(queryBlock, inSoftmax);
  for (size_t j = 0; j < blocks; ++j)
    if (isApart(j) && areShares)
      scored.shares[j] = scored.shareSlack[j] = 0;
  // Within a row shares rank as scores do, which do not underflow.
  bool byScore = selection.scope == Scope::row || !ranksByShare(selection);
  row.ranks = byScore ? scored.scores : scored.shares;
  row.rankSlack = byScore ? scored.scoreSlack : scored.shareSlack;
  row.shares = std::move(scored.shares);
  row.shareSlack = std::move(scored.shareSlack);
  return row;
}

SelectRow FamilyBlocks::groupRow(int64_t queryBlock) {
  SelectRow group = rowOf(family.head, queryBlock);
  auto heads = static_cast<double>(family.heads);
  for (int64_t head = family.head + 1; head < family.head + family.heads; ++head) {
    SelectRow row = rowOf(head, queryBlock);
    for (size_t j = 0; j < row.shares.size(); ++j) {
      Coverage &coverage = group.rules.coverage[j], other = row.rules.coverage[j];
      if (coverage == Coverage::empty || other == Coverage::partial)
        coverage = other == Coverage::empty ? coverage : other;
      group.rules.forced[j] = group.rules.forced[j] || row.rules.forced[j];
      group.rules.forbidden[j] = group.rules.forbidden[j] || row.rules.forbidden[j];
      group.shares[j] += row.shares[j];
      group.shareSlack[j] += row.shareSlack[j];
    }
  }
  for (std::vector<double> *values : {&group.shares, &group.shareSlack})
    for (double &value : *values)
      value /= heads;
  group.ranks = group.shares;
  group.rankSlack = group.shareSlack;
  return group;
}

ScopeRows FamilyBlocks::load(const std::vector<int64_t> &scope) {
  ScopeRows loaded;
  int64_t heads = selection.scope == Scope::group ? 1 : family.heads;
  for (int64_t head = family.head; head < family.head + heads; ++head)
    for (int64_t block : scope) {
      loaded.rows.push_back(selection.scope == Scope::group ? groupRow(block) : rowOf(head, block));
      loaded.at.emplace_back(head, block);
    }
  return loaded;
}

std::vector<int64_t> FamilyBlocks::headsOf(int64_t head) const {
  std::vector<int64_t> heads = {head};
  while (selection.scope == Scope::group && heads.back() + 1 < family.head + family.heads)
    heads.push_back(heads.back() + 1);
  return heads;
}

int8_t givenClass(const Operands &operands, Coverage coverage, int64_t batch, int64_t head, int64_t queryBlock,
                  int64_t keyBlock) {
  if (coverage == Coverage::empty)
    return -1;
  const Tensor &given = operands.classes;
  auto value = static_cast<int8_t>(
      given.get(given.shape[0] == 1 ? 0 : batch, given.shape[1] == 1 ? 0 : head, queryBlock, keyBlock));
  return coverage == Coverage::partial && value >= 0 ? 1 : value;
}

void classify(const Program &program, const Operands &operands, const Family &family,
              const std::set<int64_t> &queryBlocks, Classification &classification) {
  FamilyBlocks blocks(program, operands, family);
  ClassMap &map = classification.classes;
  auto store = [&](int64_t head, int64_t i, const std::function<int8_t(int64_t, Coverage)> &classOf) {
    const BlockRow &rules = blocks.rules(head, i);
    int8_t *classes = &map.at(family.batch, head, i, 0);
    Coverage *coverage = classification.coverage.data() + (classes - map.values.data());
    for (int64_t j = 0; j < map.blocksK; ++j) {
      coverage[j] = rules.coverage[j];
      classes[j] = classOf(j, rules.coverage[j]);
    }
  };
  if (operands.classes) {
    for (int64_t i : queryBlocks)
      store(family.head, i, [&](int64_t j, Coverage coverage) {
        return givenClass(operands, coverage, family.batch, family.head, i, j);
      });
    return;
  }
  SelectionRule rule = bindRule(*program.selection, operands);
  for (const std::vector<int64_t> &scope : blocks.scopes(queryBlocks)) {
    ScopeRows loaded = blocks.load(scope);
    std::vector<std::vector<int8_t>> classes = ScopeRanking(rule, blocks.keep(), loaded.rows).classes();
    for (size_t row = 0; row < classes.size(); ++row)
      for (int64_t head : blocks.headsOf(loaded.at[row].first))
        store(head, loaded.at[row].second, [&](int64_t j, Coverage coverage) {
          return coverage == Coverage::empty ? static_cast<int8_t>(-1) : classes[row][j];
        });
  }
}

std::vector<RowIndex> allRows(const CallSizes &sizes) {
  std::vector<RowIndex> rows;
  for (int64_t b = 0; b < sizes.batch; ++b)
    for (int64_t h = 0; h < sizes.headsQ; ++h)
      for (int64_t row = 0; row < sizes.tokensQ; ++row)
        rows.push_back({b, h, row});
  return rows;
}

void forEachItem(const ParallelFor &parallelFor, size_t count, const std::function<void(int64_t, int)> &body) {
  if (parallelFor)
    return parallelFor(static_cast<int64_t>(count), body);
  for (size_t item = 0; item < count; ++item)
    body(static_cast<int64_t>(item), 0);
}

Classification classifyRows(const Program &program, const Operands &operands, const std::vector<RowIndex> &rows,
                            const ParallelFor &parallelFor) {
  Classification result;
  if (!program.selection)
    return result;
  const CallSizes &sizes = operands.sizes;
  result.classes = {sizes.batch, sizes.headsQ, sizes.blocksQ, sizes.blocksK, {}};
  size_t blocks = sizes.batch * sizes.headsQ * sizes.blocksQ * sizes.blocksK;
  result.classes.values.assign(blocks, ClassMap::notEvaluated);
  result.coverage.resize(blocks);
  std::vector<std::pair<Family, std::set<int64_t>>> families;
  for (auto &[family, queryBlocks] : touchedBlocks(*program.selection, operands, rows))
    families.emplace_back(family, queryBlocks);
  forEachItem(parallelFor, families.size(), [&](int64_t item, int) {
    classify(program, operands, families[item].first, families[item].second, result);
  });
  return result;
}

} // namespace tercet::reference
