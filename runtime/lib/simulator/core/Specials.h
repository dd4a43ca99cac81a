// The values of special registers, which do not change while a CTA runs.
#pragma once

#include "core/Program.h"

namespace tercet::sim {

class Warp;

uint64_t specialValue(const Warp &warp, Special special, int lane);

} // namespace tercet::sim
