// TableRanges: what a CPU kernel knows of tables over ranges of an axis, from the least and largest elements of blocks
// that the builtin table_ranges found (tercet/Builtins.h).
#pragma once

#include "CpuPairScope.h"
#include "PairDependence.h"
#include "PairIntervals.h"

namespace tercet::compiler {

class TableRanges {
public:
  /// Adds a slot per table of the mask to the kernel; PlanWriter::addTableRanges writes the same.
  TableRanges(KernelBuilder &k, CpuPairScope &scope, mlir::Region *mask);

  /// Bounds of a read of the mask between bounds of its indices; nothing where no ranges are kept.
  std::optional<Bounds> read(ir::ReadOp op, llvm::ArrayRef<Bounds> indices);

private:
  struct Kept {
    RangedTable of;
    Value ranges;
  };
  KernelBuilder &k;
  CpuPairScope &scope;
  llvm::DenseMap<Value, unsigned> dependence;
  llvm::SmallVector<Kept> kept;
};

} // namespace tercet::compiler
