// TableGradient: the passes that make gradients of the tables that score regions and gates read, of a backward (TableShares.h).
#pragma once

#include "Gradient.h"

namespace tercet::compiler {

/// The f32 tables that score regions and gates read, in the order of the spec's arguments.
llvm::SmallVector<mlir::BlockArgument> differentiatedTables(llvm::ArrayRef<GradientPass> passes);

/// Gives passes the shares that they make beside dQ, dK and dV, and puts a pass of its own behind those of a stage for each read that
/// needs one. invalidSpec where an index depends on the score.
Status deriveTableGradients(std::vector<GradientPass> &passes);

/// The same passes where each share of a score region has one of its own, behind the pass that would make it: a kernel of dQ, or of dK and dV, has no registers
/// for it, and one that nobody asks for is not made. centres: where the forward rounds P to 16 bits, which its O has and so has the sum of
/// dO O, a pass before those that cannot take out what this leaves in whole rows makes these sums again.
std::vector<GradientPass> withTablesApart(std::vector<GradientPass> passes, bool centres);

/// The shares of a table that passes make and a sum adds: all but those that go to entries at once.
std::vector<const TableShares *> summedSharesOf(llvm::ArrayRef<GradientPass> passes, mlir::BlockArgument table);

/// What the indices of shares take from outside.
PairOperands indexOperandsOf(llvm::ArrayRef<const TableShares *> shares);

} // namespace tercet::compiler
