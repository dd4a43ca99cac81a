// Verifiers of project and combine (docs/spec.md#project, #combine).
#include "tercet/dialect/TercetDialect.h"

using namespace mlir;
using namespace tercet::ir;

LogicalResult ProjectOp::verify() {
  if (!getInput().getDefiningOp<LinearOp>())
    return emitOpError("C1: projects a branch that tercet.linear did not make");
  for (Value weight : {getW(), getB()})
    if (!isa<BlockArgument>(weight) || !weight.hasOneUse())
      return emitOpError("C2: w and b must be arguments of the spec that nothing else uses");
  return success();
}

LogicalResult CombineOp::verify() {
  if (getBranches().size() != 2)
    return emitOpError(getKind() == CombineKind::Sum ? "C1: sum" : "C2: joint")
           << " has " << getBranches().size() << " branches, expected 2";
  auto exact = getBranches()[0].getDefiningOp<SparseOp>();
  Operation *other = getBranches()[1].getDefiningOp();
  if (getKind() == CombineKind::Sum) {
    if (!exact || !isa_and_nonnull<LinearOp, ProjectOp>(other))
      return emitOpError(
          "C1: sum takes a tercet.sparse branch and a tercet.linear or tercet.project branch, in this order");
    return success();
  }
  auto means = dyn_cast_or_null<BlockMeanOp>(other);
  if (!exact || !means)
    return emitOpError("C2: joint takes a tercet.sparse branch and a tercet.block_mean branch, in this order");
  if (exact.getScale() != means.getScale())
    return emitOpError("C2: joint needs the same scale on both branches");
  return success();
}
