// Looks at every pair of a block until it is known to be partial: slow, and obviously the rule.
#include "BlockRules.h"

#include <algorithm>

namespace tercet::reference {

BlockRules::BlockRules(const Program &program, const Operands &operands, int64_t batch, int64_t head)
    : selection(*program.selection), lengthQ(operands.lengthQ(batch)), lengthK(operands.lengthK(batch)),
      blocksK(operands.sizes.blocksK), sink(static_cast<int64_t>(operands.value(selection.sink))) {
  auto evaluatorOf = [&](const std::optional<PairProgram> &rule) {
    return rule ? std::make_unique<PairEvaluator>(program, *rule, operands, batch, head) : nullptr;
  };
  mask = evaluatorOf(selection.mask);
  forced = evaluatorOf(selection.forced);
  forbidden = evaluatorOf(selection.forbidden);
  pattern = evaluatorOf(selection.pattern);
}

Coverage BlockRules::coverage(int64_t firstRow, int64_t endRow, int64_t firstKey, int64_t endKey) {
  if (firstRow >= endRow || firstKey >= endKey)
    return Coverage::empty;
  if (!mask)
    return Coverage::full;
  bool anyAllowed = false, anyForbidden = false;
  for (int64_t row = firstRow; row < endRow; ++row)
    for (int64_t key = firstKey; key < endKey; ++key) {
      (mask->holds(row, key) ? anyAllowed : anyForbidden) = true;
      if (anyAllowed && anyForbidden)
        return Coverage::partial;
    }
  return anyAllowed ? Coverage::full : Coverage::empty;
}

BlockRow BlockRules::row(int64_t queryBlock) {
  BlockRow result;
  int64_t firstRow = queryBlock * selection.blockQ, endRow = std::min(firstRow + selection.blockQ, lengthQ);
  for (int64_t j = 0; j < blocksK; ++j) {
    int64_t firstKey = j * selection.blockK, endKey = std::min(firstKey + selection.blockK, lengthK);
    Coverage covered = coverage(firstRow, endRow, firstKey, endKey);
    bool isEmpty = covered == Coverage::empty;
    bool onDiagonal = selection.diagonal && std::max(firstRow, firstKey) < std::min(endRow, endKey);
    bool isForced = j < sink || onDiagonal || (forced && forced->holds(queryBlock, j)) ||
                    (pattern && pattern->holds(queryBlock, j));
    result.coverage.push_back(covered);
    result.forced.push_back(!isEmpty && isForced);
    result.forbidden.push_back(!isEmpty && forbidden && forbidden->holds(queryBlock, j));
  }
  return result;
}

} // namespace tercet::reference
