// readSpec: from a verified tercet.spec to the plain data that the oracle evaluates.
#pragma once

#include "tercet/Status.h"
#include "tercet/dialect/reference/Program.h"

namespace tercet::ir {
class SpecOp;
}

namespace tercet::reference {

/// Reads a verified spec whose parameters are bound. invalidSpec on an op that has no meaning here, or token operands
/// other than q, k, v. Keeps nothing of the IR.
Result<Program> readSpec(ir::SpecOp spec);

} // namespace tercet::reference
