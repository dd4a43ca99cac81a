// Verifiers of the ops that make scores (docs/spec.md#pooled_scores, #sampled_scores, #compressed_scores,
// #given_scores).
#include "Blocks.h"
#include "ParamOperands.h"
#include "Pools.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::ir;

LogicalResult PooledScoresOp::verify() {
  if (failed(verifyBlocks(*this)))
    return failure();
  if (ParamOp guard = paramOf(getGuard()); guard && guard.isAuto())
    return emitOpError("C2: ") << guard.getName() << " is auto; give a number";
  return success();
}

LogicalResult SampledScoresOp::verify() {
  if (failed(verifyBlocks(*this)))
    return failure();
  ParamOp stride = paramOf(getStride());
  if (!llvm::is_contained({2, 4, 8, 16}, stride.getInteger()))
    return emitOpError("C2: ") << stride.getName() << " is " << stride.getInteger() << "; expected 2, 4, 8 or 16";
  return success();
}

LogicalResult CompressedScoresOp::verify() {
  if (failed(verifyBlocks(*this)) || failed(verifyPoolSizes(*this, getLength(), getStride(), "C2")))
    return failure();
  if (!isPoolWeights(getWeights()))
    return emitOpError("C3: weights is ")
           << getWeights().getType() << "; expected an argument of type table<[kv_head, any], f32>";
  return verifyScale(*this, getScale(), "C4");
}

LogicalResult CompressedScoresOp::verifyRegions() { return verifyWhere(*this, getWhere(), "C5", "C6"); }

LogicalResult GivenScoresOp::verify() {
  if (failed(verifyBlocks(*this)))
    return failure();
  auto table = cast<TableType>(getTable().getType());
  bool perBlock = table.hasAxes({TableAxis::batch, TableAxis::head, TableAxis::queryBlock, TableAxis::keyBlock});
  if (!isa<BlockArgument>(getTable()) || !perBlock || !table.getElementType().isF32())
    return emitOpError("C2: table is ") << table << "; expected an argument of type table<[batch, head, query_block, "
                                        << "key_block], f32>";
  return success();
}
