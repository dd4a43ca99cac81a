// The f32 arithmetic that kernels are made of: to nearest, not saturated.
#pragma once

#include "core/Program.h"

#include <cstdint>

namespace tercet::sim {

enum class FloatOperation : uint8_t { add, subtract, multiply, fma, divide, least, greatest, magnitude, negate };

/// The handler of an operation on f32 to nearest, with or without flushed denormals. nanWins: of min and max.
Handler plainSingleHandler(FloatOperation operation, bool ftz, bool nanWins);

} // namespace tercet::sim
