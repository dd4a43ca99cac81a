// ClassCheck: a target's classes against the oracle's selection.
#pragma once

#include "Operands.h"
#include "tercet/dialect/reference/Contract.h"

namespace tercet::reference {

/// Checks the class rows that `rows` touch. With classes handed in the resolved map must be equal; otherwise counts,
/// forced and empty blocks must be equal, and a block may take another's place only where their scores differ by less
/// than 1e-5 * |mean q| * |mean k| (the scale is a common factor), or not at all under `exactTies`.
ClassVerdict checkClassMap(const Program &program, const Operands &operands, const std::vector<RowIndex> &rows,
                           const Tensor &got, bool exactTies);

} // namespace tercet::reference
