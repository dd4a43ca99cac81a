#include "PairDependence.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

llvm::DenseMap<Value, unsigned> compiler::pairDependence(Block &region, unsigned first) {
  llvm::DenseMap<Value, unsigned> dependence;
  for (unsigned number = 0; number < region.getNumArguments(); ++number)
    dependence[region.getArgument(number)] = number < first        ? onBoth
                                             : number == first + 2 ? onQuery
                                             : number == first + 3 ? onKey
                                                                   : onNeither;
  for (Operation &op : region.without_terminator()) {
    unsigned &on = dependence[op.getResult(0)] = onNeither;
    for (Value operand : op.getOperands())
      on |= dependence.lookup(operand);
  }
  return dependence;
}

std::optional<RangedTable> compiler::rangedTableOf(ir::ReadOp read, const llvm::DenseMap<Value, unsigned> &dependence) {
  auto table = cast<BlockArgument>(read.getTable());
  ArrayRef<int64_t> axes = cast<ir::TableType>(table.getType()).getAxes();
  std::optional<RangedTable> ranged;
  for (auto [axis, index] : llvm::enumerate(read.getIndices())) {
    if (dependence.lookup(index) == onNeither) {
      TableAxis named{axes[axis]};
      bool isShort =
          axes[axis] > 0 || named == TableAxis::batch || named == TableAxis::head || named == TableAxis::kvHead;
      if (!isShort)
        return std::nullopt;
    } else if (ranged) {
      return std::nullopt;
    } else {
      ranged = {table, static_cast<unsigned>(axis)};
    }
  }
  return ranged;
}

SmallVector<RangedTable> compiler::rangedTablesOf(Region *predicate) {
  SmallVector<RangedTable> tables;
  if (!predicate)
    return tables;
  llvm::DenseMap<Value, unsigned> dependence = pairDependence(predicate->front(), /*first=*/0);
  for (auto read : predicate->getOps<ir::ReadOp>())
    if (std::optional<RangedTable> ranged = rangedTableOf(read, dependence);
        ranged && !llvm::is_contained(tables, *ranged))
      tables.push_back(*ranged);
  return tables;
}
