// A case of the shared table on a simulated GPU: kept by the numerics contract, or refused with a reason.
#pragma once

#include "gpu/SimulatedBackend.h"
#include "support/Case.h"

namespace tercet::test {

/// Runs a case and checks its outputs; where a GPU does not take the case, that it is refused.
void checkCase(SimulatedBackend &backend, const Case &entry);

/// The case as warpgroups take it: bf16 for f32, head dimensions in steps of 64, blocks of 64 x 64.
Case forWarpgroups(Case entry);

} // namespace tercet::test
