// Rings of tiles in shared memory: their types and sizes.
#pragma once

#include "tercet/dialect/TkernDialect.h"

namespace tercet::compiler {

/// boxes: slots are swizzled, filled by box copies; else rows by threads.
tkern::RingType makeRing(int64_t slots, int64_t rows, int64_t cols, mlir::Type element, bool boxes);
int64_t slotBytes(tkern::RingType ring);
/// numbered: each row of a slot comes with a number.
int64_t ringBytes(tkern::RingType ring, bool numbered = false);

/// Of the list of the steps that a mask leaves: StepWindows::bytes of the device library.
inline constexpr int64_t stepListBytes = 2048;

} // namespace tercet::compiler
