// Handlers that the parser also uses: an exit ends every body, and a return from an inlined function is a branch.
#pragma once

#include "core/Program.h"

namespace tercet::sim {

void executeExit(Warp &warp, const Instruction &in, Mask mask);
void executeBranch(Warp &warp, const Instruction &in, Mask mask);

} // namespace tercet::sim
