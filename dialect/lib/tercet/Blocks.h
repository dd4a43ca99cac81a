// Classification blocks of the ops that have them.
#pragma once

#include "tercet/dialect/TercetDialect.h"

#include <optional>

namespace tercet::ir {

/// C1 of every op with blocks: both sizes are multiples of 16 from 16 to 256, that of queries where scores are not sampled also
/// 1, 2, 4 or 8. Checks the parameter operands first.
mlir::LogicalResult verifyBlocks(mlir::Operation *op);

} // namespace tercet::ir
