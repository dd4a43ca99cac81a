// Verifiers of sparse, linear and block_mean (docs/spec.md#sparse, #linear, #block_mean).
#include "ParamOperands.h"
#include "Regions.h"

using namespace mlir;
using namespace tercet::ir;

static LogicalResult verifyScale(Operation *op, Value operand) {
  ParamOp scale = paramOf(operand);
  if (scale && !scale.isAuto() && !(scale.getFloat() > 0))
    return op->emitOpError("C2: ") << scale.getName() << " is " << numberText(scale.getFloat()) << "; expected > 0";
  return success();
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
  return verifyScale(*this, getScale());
}

LogicalResult SparseOp::verifyRegions() {
  if (getScore().empty())
    return success();
  Type f32 = Float32Type::get(getContext()), index = IndexType::get(getContext());
  if (failed(verifySignature(*this, getScore(), {f32, index, index, index, index}, f32, "C3")))
    return failure();
  return verifyPairOps(*this, getScore(), "C4");
}

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
    if (!bitEnumContainsAll(set, ClassSet::Marginal) || bitEnumContainsAny(set, ClassSet::Critical))
      return emitOpError("C3: runs on [")
             << stringifyClassSet(set) << "]; expected marginal, or marginal and negligible";
    if (bitEnumContainsAny(set, ClassSet::Negligible) && over == "marginal")
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
  return verifyScale(*this, getScale());
}
