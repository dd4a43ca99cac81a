// What the verifier of spec asks of token orders.
#pragma once

#include "tercet/dialect/TercetDialect.h"

namespace tercet::ir {

/// C3 and C4 of token_order, which look at the rest of the spec.
mlir::LogicalResult verifyOrders(SpecOp spec);

} // namespace tercet::ir
