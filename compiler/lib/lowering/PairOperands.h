// PairOperands: what regions over pairs take from outside, in an order that kernels and plans share.
#pragma once

#include "tercet/dialect/TercetDialect.h"

#include "llvm/ADT/SmallVector.h"

namespace tercet::compiler {

struct PairOperands {
  llvm::SmallVector<mlir::BlockArgument> tables; ///< in the order of the spec's arguments
  llvm::SmallVector<ir::ParamOp> parameters;     ///< runtime parameters, in the order of the spec
};

/// Of all these regions together; null regions are skipped.
PairOperands pairOperandsOf(llvm::ArrayRef<mlir::Region *> regions);

} // namespace tercet::compiler
