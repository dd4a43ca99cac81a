// Verifiers of sparse, linear, block_mean and compressed (docs/spec.md#sparse, #linear, #block_mean, #compressed).
#include "ParamOperands.h"
#include "Pools.h"
#include "Regions.h"

#include "tercet/TableAxis.h"

using namespace mlir;
using namespace tercet::ir;

LogicalResult tercet::ir::verifyScale(Operation *op, Value operand, StringRef label) {
  ParamOp scale = paramOf(operand);
  if (scale && !scale.isAuto() && !(scale.getFloat() > 0))
    return op->emitOpError() << label << ": " << scale.getName() << " is " << numberText(scale.getFloat())
                             << "; expected > 0";
  return success();
}

static bool isPoolSize(ParamOp param) { return param.getInteger() >= 1 && param.getInteger() <= 4096; }

LogicalResult tercet::ir::verifyPoolSizes(Operation *op, Value lengthOf, Value strideOf, StringRef label) {
  ParamOp length = paramOf(lengthOf), stride = paramOf(strideOf);
  for (ParamOp param : {length, stride})
    if (!isPoolSize(param))
      return op->emitOpError() << label << ": " << param.getName() << " is " << param.getInteger()
                               << "; expected 1 to 4096";
  if (stride.getInteger() > length.getInteger())
    return op->emitOpError() << label << ": " << stride.getName() << " is " << stride.getInteger() << ", more than "
                             << length.getName() << ", which is " << length.getInteger()
                             << ": tokens between pools would be lost";
  return success();
}

bool tercet::ir::isPoolWeights(Value weights) {
  if (!weights)
    return true;
  auto type = cast<TableType>(weights.getType());
  return isa<BlockArgument>(weights) && type.getElementType().isF32() &&
         type.hasAxes({tercet::TableAxis::kvHead, tercet::TableAxis::any});
}

LogicalResult tercet::ir::verifyWhere(Operation *op, Region &region, StringRef ofSignature, StringRef ofOps) {
  if (region.empty())
    return success();
  SmallVector<Type> indices(4, IndexType::get(op->getContext()));
  if (failed(verifySignature(op, region, indices, IntegerType::get(op->getContext(), 1), ofSignature)))
    return failure();
  return verifyPairOps(op, region, ofOps);
}

// What replaces scores: an f32 and four indices, to an f32.
static LogicalResult verifyScoreRegion(Operation *op, Region &region, StringRef ofSignature, StringRef ofOps) {
  if (region.empty())
    return success();
  Type f32 = Float32Type::get(op->getContext()), index = IndexType::get(op->getContext());
  if (failed(verifySignature(op, region, {f32, index, index, index, index}, f32, ofSignature)))
    return failure();
  return verifyPairOps(op, region, ofOps);
}

// A classes operand and its set come together; only the generic syntax can part them.
template <typename OpT> static LogicalResult verifyOn(OpT op, StringRef label) {
  if (static_cast<bool>(op.getClasses()) != static_cast<bool>(op.getSetAttr()))
    return op.emitOpError() << label << ": needs classes and a class set together, or neither";
  return success();
}

LogicalResult SparseOp::verify() {
  if (failed(verifyParamOperands(*this)) || failed(verifyOn(*this, "C1")))
    return failure();
  if (getClasses() && getSetAttr().getValue() != ClassSet::Critical)
    return emitOpError("C1: runs on [") << stringifyClassSet(getSetAttr().getValue()) << "]; expected [critical]";
  if (getMask() && !getMask().getDefiningOp<MaskOp>())
    return emitOpError("C5: mask does not come from tercet.mask");
  if (getClasses()) {
    Operation *classification = getClasses().getDefiningOp();
    Value theirs;
    if (auto select = dyn_cast_or_null<SelectOp>(classification))
      theirs = select.getMask();
    else if (auto pattern = dyn_cast_or_null<PatternOp>(classification))
      theirs = pattern.getMask();
    if (theirs != getMask()) {
      InFlightDiagnostic diagnostic = emitOpError("C5: ");
      if (!getMask())
        diagnostic << "has no mask, but its classes have one";
      else if (!theirs)
        diagnostic << "has a mask, but its classes have none";
      else
        diagnostic << "has another mask than its classes";
      if (classification)
        diagnostic.attachNote(classification->getLoc()) << "the classes are made here";
      return diagnostic;
    }
  }
  return verifyScale(*this, getScale(), "C2");
}

LogicalResult SparseOp::verifyRegions() { return verifyScoreRegion(*this, getScore(), "C3", "C4"); }

LogicalResult LinearOp::verify() {
  if (failed(verifyParamOperands(*this)) || failed(verifyOn(*this, "C3")))
    return failure();
  ParamOp phi = paramOf(getFeatureMap());
  if (!llvm::is_contained({"softmax", "elu", "relu"}, phi.getKeyword()))
    return emitOpError("C1: ") << phi.getName() << " is '" << phi.getKeyword() << "'; expected softmax, elu or relu";
  StringRef over = "marginal";
  if (ParamOp param = paramOf(getOver())) {
    over = param.getKeyword();
    if (!getClasses())
      return emitOpError("C2: over(") << param.getName() << ") needs `on %classes[..]`";
    if (!llvm::is_contained({"marginal", "non_critical", "all"}, over))
      return emitOpError("C2: ") << param.getName() << " is '" << over << "'; expected marginal, non_critical or all";
  }
  if (getClasses()) {
    ClassSet set = getSetAttr().getValue();
    bool isRest = set == ClassSet::Negligible;
    if (bitEnumContainsAny(set, ClassSet::Critical))
      return emitOpError("C3: runs on [")
             << stringifyClassSet(set) << "]; expected marginal, negligible, or both of these";
    if (isRest && getOver())
      return emitOpError("C3: runs on [negligible], these blocks alone, but has over(")
             << paramOf(getOver()).getName() << ")";
    if (!isRest && bitEnumContainsAny(set, ClassSet::Negligible) && over == "marginal")
      return emitOpError("C3: runs on [")
             << stringifyClassSet(set) << "] but is over marginal, which leaves negligible out";
  }
  if (ParamOp eps = paramOf(getEps())) {
    if (eps.isAuto() || !(eps.getFloat() >= 0))
      return emitOpError("C4: ") << eps.getName() << " is " << (eps.isAuto() ? "auto" : numberText(eps.getFloat()))
                                 << "; expected a number >= 0";
  }
  return success();
}

LogicalResult BlockMeanOp::verify() {
  if (failed(verifyParamOperands(*this)))
    return failure();
  if (getSetAttr().getValue() != ClassSet::Marginal)
    return emitOpError("C1: runs on [") << stringifyClassSet(getSetAttr().getValue()) << "]; expected [marginal]";
  return verifyScale(*this, getScale(), "C2");
}

LogicalResult CompressedOp::verify() {
  if (failed(verifyParamOperands(*this)))
    return failure();
  if (failed(verifyPoolSizes(*this, getLength(), getStride(), "C1")))
    return failure();
  if (ParamOp queries = paramOf(getQueries()); queries && !isPoolSize(queries))
    return emitOpError("C2: ") << queries.getName() << " is " << queries.getInteger() << "; expected 1 to 4096";
  if (!isPoolWeights(getKeyWeights()) || !isPoolWeights(getValueWeights()))
    return emitOpError("C3: weights are arguments of type table<[kv_head, any], f32>");
  return verifyScale(*this, getScale(), "C4");
}

LogicalResult CompressedOp::verifyRegions() {
  if (failed(verifyWhere(*this, getWhere(), "C5", "C7")))
    return failure();
  return verifyScoreRegion(*this, getScore(), "C6", "C7");
}
