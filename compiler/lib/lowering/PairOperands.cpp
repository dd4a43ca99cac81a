#include "PairOperands.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

PairOperands compiler::pairOperandsOf(ArrayRef<Region *> regions) {
  PairOperands operands;
  for (Region *region : regions) {
    if (!region)
      continue;
    for (auto read : region->getOps<ir::ReadOp>())
      if (auto table = cast<BlockArgument>(read.getTable()); !llvm::is_contained(operands.tables, table))
        operands.tables.push_back(table);
    for (auto value : region->getOps<ir::ValueOp>())
      if (ir::ParamOp param = ir::paramOf(value.getParam());
          !param.isStatic() && !llvm::is_contained(operands.parameters, param))
        operands.parameters.push_back(param);
  }
  llvm::sort(operands.tables, [](BlockArgument a, BlockArgument b) { return a.getArgNumber() < b.getArgNumber(); });
  llvm::sort(operands.parameters, [](ir::ParamOp a, ir::ParamOp b) { return a->isBeforeInBlock(b); });
  return operands;
}
