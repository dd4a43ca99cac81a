// Sums the quotas of all rows; rows of one batch are the same for every head.
#include "tercet/dialect/reference/BlockCounts.h"

#include "SelectRules.h"

#include <algorithm>

namespace tercet::reference {
namespace {

bool hangsOnData(const Selection &selection) {
  bool countsBlocks = selection.keepUnit == KeepUnit::fraction || selection.keepUnit == KeepUnit::count;
  return !countsBlocks || !selection.budgets.empty() || selection.scores.guard || selection.mask || selection.forced ||
         selection.forbidden || selection.pattern;
}

} // namespace

Result<std::optional<BlockCounts>> countBlocks(const Program &program, const Arguments &arguments) {
  TERCET_TRY(Operands operands, bindOperands(program, arguments, nullptr));
  BlockCounts counts;
  if (!program.selection)
    return std::optional(counts);
  if (hangsOnData(*program.selection))
    return std::optional<BlockCounts>();
  SelectionRule rule = bindRule(*program.selection, operands);
  Amount keep = keepOf(*program.selection, operands, 0, 1);
  const CallSizes &sizes = operands.sizes;
  for (int64_t b = 0; b < sizes.batch; ++b) {
    BlockRules rules(program, operands, b, 0);
    // Non-empty and forced blocks of one scope; a scope of rows repeats over heads, or spans them.
    int64_t nonEmpty = 0, forced = 0;
    int64_t spanned = program.selection->scope == Scope::allHeads ? sizes.headsQ : 1;
    auto endScope = [&] {
      int64_t candidates = nonEmpty - forced;
      int64_t kept = keptByCount(rule, keep, nonEmpty, forced, candidates);
      int64_t dropped = droppedByCount(rule, nonEmpty, candidates - kept);
      int64_t times = sizes.headsQ / spanned;
      counts.critical += (forced + kept) * times;
      counts.negligible += dropped * times;
      counts.marginal += (candidates - kept - dropped) * times;
      nonEmpty = forced = 0;
    };
    for (int64_t i = 0; i < sizes.blocksQ; ++i) {
      BlockRow row = rules.row(i);
      nonEmpty += spanned * std::count(row.coverage.begin(), row.coverage.end(), Coverage::full);
      forced += spanned * std::count(row.forced.begin(), row.forced.end(), true);
      bool spansRows = program.selection->scope == Scope::head || program.selection->scope == Scope::allHeads;
      if (!spansRows || i + 1 == sizes.blocksQ)
        endScope();
    }
  }
  return std::optional(counts);
}

} // namespace tercet::reference
