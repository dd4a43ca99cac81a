// ClassCheck: a target's classes against the oracle's selection.
#pragma once

#include "Operands.h"
#include "tercet/dialect/reference/Contract.h"

namespace tercet::reference {

/// Checks the scopes that `rows` touch: rows of blocks, or what selection ranks together. With classes handed in the
/// resolved map must be equal. Otherwise empty, forced and forbidden blocks must be as the rules say; a block may take
/// another's place only where their ranks differ by less than fp32 can tell apart, or not at all under `exactTies` and for
/// scores handed in; counts must be equal, but for blocks as near to the cut of a mass or threshold rule
/// (docs/numerics.md#selection).
ClassVerdict checkClassMap(const Program &program, const Operands &operands, const std::vector<RowIndex> &rows,
                           const Tensor &got, bool exactTies);

/// Whether the oracle can evaluate with these classes: a target that wrote none of them has failed already.
bool areClasses(const Tensor &classes);

} // namespace tercet::reference
