// Grouping: how many (batch, KV head) pairs and value slices one pass holds.
#pragma once

#include <cstdint>

namespace tercet::rt {

/// The values of PlanGrouping's expressions, and what they are chosen against. All at least 1 except unitBytes,
/// budgetBytes.
struct GroupingInput {
  int64_t unitBytes, budgetBytes, slices, itemsPerPair, pairs;
  int threads;
};
struct GroupingChoice {
  int64_t pairs = 1, slices = 1;
};

/// The largest pairs * slices whose units fit the budget, slices first; without units as many pairs as keep all threads
/// busy (8 items each). Then both are evened out, so that the last group is not much smaller than the others. Results
/// of a launch never depend on the choice.
GroupingChoice chooseGrouping(const GroupingInput &input);

} // namespace tercet::rt
