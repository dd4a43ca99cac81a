// Mnemonics that integers and floating numbers share: the integer family decodes the type and hands on.
#pragma once

#include "syntax/Decoding.h"

namespace tercet::sim {

/// add, sub, mul, mad, div, min, max, abs and neg of a floating type, which was taken already.
void decodeFloatArithmetic(Decoding &decoding, Type type);

} // namespace tercet::sim
