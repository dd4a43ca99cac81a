// Tile ops: builders and verifiers.
#include "tercet/dialect/TkernDialect.h"

using namespace mlir;
using namespace tercet::tkern;

void MatmulOp::build(OpBuilder &builder, OperationState &state, Value a, Value b, Value init, int64_t depth,
                     bool transposed, bool transposedB) {
  build(builder, state, init.getType(), a, b, init, builder.getI64IntegerAttr(depth),
        transposed ? builder.getUnitAttr() : UnitAttr(), transposedB ? builder.getUnitAttr() : UnitAttr(),
        /*ahead=*/Value(), /*elements=*/IntegerAttr());
}

template <typename Op> static LogicalResult verifyAhead(Op op) {
  if (static_cast<bool>(op.getAhead()) != op.getElements().has_value())
    return op.emitOpError("has a view ahead without a count of elements, or a count without a view");
  if (static_cast<int64_t>(op.getElements().value_or(1)) < 1)
    return op.emitOpError("looks ahead at ") << static_cast<int64_t>(*op.getElements()) << " elements, expected >= 1";
  return success();
}

LogicalResult MatmulOp::verify() {
  if (getDepth() < 1)
    return emitOpError("has depth ") << getDepth() << ", expected >= 1";
  return verifyAhead(*this);
}

void AccumulateOp::build(OpBuilder &builder, OperationState &state, Value p, Value b, Value acc) {
  build(builder, state, p, b, acc, /*ahead=*/Value(), /*elements=*/IntegerAttr());
}

LogicalResult AccumulateOp::verify() { return verifyAhead(*this); }

LogicalResult MapOp::verifyRegions() {
  TileType result = getResult().getType();
  Block &body = getBody().front();
  if (body.getNumArguments() != getInputs().size())
    return emitOpError("has ") << getInputs().size() << " inputs and " << body.getNumArguments() << " body arguments";
  for (Type type : body.getArgumentTypes())
    if (!type.isF32())
      return emitOpError("has a body argument of type ") << type << ", expected f32";
  for (Value input : getInputs()) {
    auto tile = cast<TileType>(input.getType());
    if (!tile.broadcastsTo(result))
      return emitOpError("cannot broadcast ") << tile << " to " << result;
  }
  if (!isa<YieldOp>(body.back()))
    return emitOpError("ends with '") << body.back().getName() << "', expected tkern.yield";
  for (Operation &op : body.without_terminator())
    if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect>(op.getDialect()))
      return op.emitOpError("is not an arith or math op, which is all that a tkern.map body holds");
  return success();
}

LogicalResult ReduceOp::verify() {
  TileType tile = getTile().getType(), result = getResult().getType();
  if (result.getCols() != 1 || result.getRows() != tile.getRows())
    return emitOpError("reduces ") << tile << " to " << result << ", expected " << tile.getRows() << "x1";
  return success();
}

void SoftmaxStepOp::build(OpBuilder &builder, OperationState &state, Value scores, Value max, Value sum, Value acc,
                          Value first) {
  build(builder, state, scores.getType(), scores, max, sum, acc, first, builder.getF32FloatAttr(8.0f));
}

template <typename Op> static LogicalResult verifyThreshold(Op op, const char *label) {
  if (!op.getThreshold().isFinite() || !(op.getThreshold().convertToFloat() >= 0))
    return op.emitOpError(label) << "has the threshold " << op.getThresholdAttr() << ", expected a finite number >= 0";
  return success();
}

LogicalResult SoftmaxStepOp::verify() { return verifyThreshold(*this, ""); }

void SoftmaxInPlaceOp::build(OpBuilder &builder, OperationState &state, Value scores, Value max, Value sum, Value acc) {
  build(builder, state, scores, max, sum, acc, builder.getF32FloatAttr(8.0f));
}

LogicalResult SoftmaxInPlaceOp::verify() {
  ViewType scores = getScores().getType();
  if (!scores.getElementType().isF32() || ShapedType::isDynamic(scores.getRows()) ||
      ShapedType::isDynamic(scores.getCols()) || scores.getSpace() == Space::Global)
    return emitOpError("C1: turns ") << scores << " into p; expected f32 with static extents in the item's memory";
  return verifyThreshold(*this, "C2: ");
}

#define GET_OP_CLASSES
#include "tercet/dialect/TkernOps.cpp.inc"
