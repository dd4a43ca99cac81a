// TableGradient: the passes that make gradients of the tables that score regions and gates read, of CPU targets (TableShares.h).
#pragma once

#include "Gradient.h"

namespace tercet::compiler {

/// The f32 tables that score regions and gates read, in the order of the spec's arguments.
llvm::SmallVector<mlir::BlockArgument> differentiatedTables(llvm::ArrayRef<GradientPass> passes);

/// Gives passes the shares that they make beside dQ, dK and dV, and puts a pass of its own behind those of a stage for each read that
/// needs one. invalidSpec where an index depends on the score.
Status deriveTableGradients(std::vector<GradientPass> &passes);

/// The shares of a table that passes make and a sum adds: all but those that go to entries at once.
std::vector<const TableShares *> summedSharesOf(llvm::ArrayRef<GradientPass> passes, mlir::BlockArgument table);

/// What the indices of shares take from outside.
PairOperands indexOperandsOf(llvm::ArrayRef<const TableShares *> shares);

} // namespace tercet::compiler
