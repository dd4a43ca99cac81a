// Grouping: how many (batch, KV head) pairs, value slices and query blocks one pass holds.
#pragma once

#include <cstdint>

namespace tercet::rt {

/// The values of PlanGrouping's expressions, and what they are chosen against. All at least 1 except those of bytes.
struct GroupingInput {
  int64_t unitBytes, rowBytes, budgetBytes, slices, rows, itemsPerPair, pairs;
  int threads;
};
struct GroupingChoice {
  int64_t pairs = 1, slices = 1, rows = 1;
};

/// The largest pairs * slices whose bytes fit the budget, slices first, with all rows; where not even one pair and slice
/// fits, that with as many rows as do, at least 8. Without bytes as many pairs as keep all threads busy (8 items each).
/// Then all are evened out, so that the last part is not much smaller than the others. Results of a launch never depend
/// on the choice.
GroupingChoice chooseGrouping(const GroupingInput &input);

} // namespace tercet::rt
