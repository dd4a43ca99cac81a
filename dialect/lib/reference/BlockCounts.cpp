// Sums the quotas of all rows; rows of one batch are the same for every head.
#include "tercet/dialect/reference/BlockCounts.h"

#include "Select.h"

#include <algorithm>

namespace tercet::reference {

Result<BlockCounts> countBlocks(const Program &program, const Arguments &arguments) {
  TERCET_TRY(Operands operands, bindOperands(program, arguments, nullptr));
  BlockCounts counts;
  if (!program.selection)
    return counts;
  SelectionRule rule = bindRule(*program.selection, operands);
  const CallSizes &sizes = operands.sizes;
  for (int64_t b = 0; b < sizes.batch; ++b)
    for (int64_t i = 0; i < sizes.blocksQ; ++i) {
      RowQuota quota = rowQuota(rule, i, sizes.blocksK, operands.lengthQ(b), operands.lengthK(b));
      int64_t nonEmpty = std::count(quota.empty.begin(), quota.empty.end(), false);
      int64_t critical = quota.kept + std::count(quota.forced.begin(), quota.forced.end(), true);
      counts.critical += critical * sizes.headsQ;
      counts.negligible += quota.dropped * sizes.headsQ;
      counts.marginal += (nonEmpty - critical - quota.dropped) * sizes.headsQ;
    }
  return counts;
}

} // namespace tercet::reference
