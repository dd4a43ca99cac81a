// Looks at every pair of a block until it is known to be partial: slow, and obviously the rule.
#include "BlockRules.h"

#include <algorithm>

namespace tercet::reference {

BlockRules::BlockRules(const Program &program, const Operands &operands, int64_t batch, int64_t head)
    : selection(*program.selection), operands(operands), lengthQ(operands.lengthQ(batch)),
      lengthK(operands.lengthK(batch)), blocksK(operands.sizes.blocksK),
      sink(static_cast<int64_t>(operands.value(selection.sink))) {
  auto evaluatorOf = [&](const std::optional<PairProgram> &rule) {
    return rule ? std::make_unique<PairEvaluator>(program, *rule, operands, batch, head) : nullptr;
  };
  mask = evaluatorOf(selection.mask);
  forced = evaluatorOf(selection.forced);
  forbidden = evaluatorOf(selection.forbidden);
  pattern = evaluatorOf(selection.pattern);
}

Coverage BlockRules::coverage(const std::vector<int64_t> &rows, const std::vector<int64_t> &keys) {
  if (rows.empty() || keys.empty())
    return Coverage::empty;
  if (!mask)
    return Coverage::full;
  bool anyAllowed = false, anyForbidden = false;
  for (int64_t row : rows)
    for (int64_t key : keys) {
      (mask->holds(row, key) ? anyAllowed : anyForbidden) = true;
      if (anyAllowed && anyForbidden)
        return Coverage::partial;
    }
  return anyAllowed ? Coverage::full : Coverage::empty;
}

BlockRow BlockRules::row(int64_t queryBlock) {
  BlockRow result;
  std::vector<int64_t> rows = operands.queryBlocks.valid(queryBlock, lengthQ);
  for (int64_t j = 0; j < blocksK; ++j) {
    std::vector<int64_t> keys = operands.keyBlocks.valid(j, lengthK);
    Coverage covered = coverage(rows, keys);
    bool isEmpty = covered == Coverage::empty;
    bool onDiagonal =
        selection.diagonal && std::find_first_of(rows.begin(), rows.end(), keys.begin(), keys.end()) != rows.end();
    bool isForced = j < sink || onDiagonal || (forced && forced->holds(queryBlock, j)) ||
                    (pattern && pattern->holds(queryBlock, j));
    result.coverage.push_back(covered);
    result.forced.push_back(!isEmpty && isForced);
    result.forbidden.push_back(!isEmpty && forbidden && forbidden->holds(queryBlock, j));
  }
  return result;
}

} // namespace tercet::reference
