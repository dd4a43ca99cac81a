// BlockCounts: how many blocks a selection makes critical, marginal and negligible. The counts follow from sizes and
// parameters alone; only which blocks they are needs scores.
#pragma once

#include "tercet/dialect/reference/Evaluate.h"

namespace tercet::reference {

/// Non-empty blocks of all batches and query heads.
struct BlockCounts {
  int64_t critical = 0, marginal = 0, negligible = 0;
};

/// Counts by the rules of docs/spec.md#counts; reads shapes, lengths and parameters of `arguments`, no token. Classes
/// handed in are not looked at. All zero without a classification. Nothing where masks, block sets, thresholds or tables
/// decide, for then data does. Errors as checkArguments.
Result<std::optional<BlockCounts>> countBlocks(const Program &program, const Arguments &arguments);

} // namespace tercet::reference
