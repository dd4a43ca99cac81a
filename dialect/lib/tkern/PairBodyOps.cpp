// Bodies over pairs: builder and verifiers.
#include "tercet/dialect/TkernDialect.h"

using namespace mlir;
using namespace tercet::tkern;

void MapPairsOp::build(OpBuilder &builder, OperationState &state, Value tile, Value row, Value col) {
  build(builder, state, tile.getType(), tile, row, col, ValueRange());
}

LogicalResult MapPairsOp::verifyRegions() {
  Block &body = getBody().front();
  Builder builder(getContext());
  SmallVector<Type> expected = {builder.getF32Type(), builder.getI32Type(), builder.getI32Type()};
  expected.append(getInputs().size(), builder.getF32Type());
  if (body.getArgumentTypes() != TypeRange(expected))
    return emitOpError("C1: has a body that gets (")
           << body.getArgumentTypes() << "), expected (" << TypeRange(expected) << ")";
  if (!isa<YieldOp>(body.back()))
    return emitOpError("C1: ends with '") << body.back().getName() << "', expected tkern.yield";
  for (Operation &op : body.without_terminator())
    if (!isa<ElementOp>(op) && !isa_and_nonnull<arith::ArithDialect, math::MathDialect>(op.getDialect()))
      return op.emitOpError("C2: is not an arith or math op or tkern.element, which is all that a tkern.map_pairs body "
                            "holds");
  for (Value input : getInputs())
    if (auto tile = cast<TileType>(input.getType()); !tile.broadcastsTo(getTile().getType()))
      return emitOpError("C3: cannot broadcast ") << tile << " to " << getTile().getType();
  return success();
}

LogicalResult ElementOp::verify() {
  size_t axes = getIndices().size();
  if (axes == 0 || getSizes().size() != axes || getStrides().size() != axes)
    return emitOpError("C1: has ") << axes << " indices, " << getSizes().size() << " sizes and " << getStrides().size()
                                   << " strides; expected one of each per axis";
  if (Type element = getTable().getType().getElementType(); element != getElement().getType())
    return emitOpError("C2: reads ") << element << " as " << getElement().getType();
  return success();
}
