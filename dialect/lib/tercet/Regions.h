// What regions over pairs may hold (docs/spec.md#regions).
#pragma once

#include "tercet/dialect/TercetDialect.h"

namespace tercet::ir {

/// Arguments and terminator of a region: `expected` argument types in order, one yielded value of type `yields`.
mlir::LogicalResult verifySignature(mlir::Operation *op, mlir::Region &region, mlir::TypeRange expected,
                                    mlir::Type yields, llvm::StringRef label);

/// Every op of the region is one that targets evaluate per pair, and takes values of the region alone; tercet.read and
/// tercet.value take tables and parameters from outside.
mlir::LogicalResult verifyPairOps(mlir::Operation *op, mlir::Region &region, llvm::StringRef label);

} // namespace tercet::ir
