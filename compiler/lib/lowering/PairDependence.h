// PairDependence: which of a pair's positions a value of a region needs.
#pragma once

#include "tercet/dialect/TercetDialect.h"

#include "llvm/ADT/DenseMap.h"

namespace tercet::compiler {

enum PairDependence : unsigned { onNeither = 0, onQuery = 1, onKey = 2, onBoth = 3 };

/// Of every value of a region that gets batch, head, query and key as arguments `first` to `first` + 3; what comes before
/// depends on both.
llvm::DenseMap<mlir::Value, unsigned> pairDependence(mlir::Block &region, unsigned first);

/// A table with the axis along which some reads of a region run, while their other indices depend on batch and head alone:
/// least and largest elements of blocks along that axis bound such reads.
struct RangedTable {
  mlir::BlockArgument table;
  unsigned axis = 0;
  friend bool operator==(const RangedTable &, const RangedTable &) = default;
};

/// Nothing where a read is not such, or where the other axes are long themselves.
std::optional<RangedTable> rangedTableOf(ir::ReadOp read, const llvm::DenseMap<mlir::Value, unsigned> &dependence);

/// Of a predicate over pairs, without repetition; none for a null region.
llvm::SmallVector<RangedTable> rangedTablesOf(mlir::Region *predicate);

} // namespace tercet::compiler
