// RaggedCases: a case once more with lengths, in layouts and dtypes of every kind.
#pragma once

#include "Case.h"

namespace tercet::test {

/// Two batch entries, two query heads per KV head, tails of blocks everywhere.
inline const reference::Shape raggedShape{
    .batch = 2, .heads = 4, .headsKV = 2, .tokensQ = 150, .tokensK = 170, .headDim = 24, .valueDim = 40};

/// The case with lengths and poison behind them, in f32 and in padded bf16, and with no query and no key in f16. `what` names
/// the last one: "regions".
void addRagged(std::vector<Case> &cases, Case entry, const std::string &what);

} // namespace tercet::test
