// The handler of ret and exit, which the parser also puts at the end of every body.
#pragma once

#include "core/Program.h"

namespace tercet::sim {

void executeExit(Warp &warp, const Instruction &in, Mask mask);

} // namespace tercet::sim
