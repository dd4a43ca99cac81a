// Verifiers of sparse, linear and block_mean (docs/spec.md#sparse, #linear, #block_mean).
#include "tercet/dialect/TercetDialect.h"

using namespace mlir;
using namespace tercet::ir;

static LogicalResult verifyScale(Operation *op, Value operand) {
  ParamOp scale = paramOf(operand);
  if (scale && !scale.isAuto() && !(scale.getFloat() > 0))
    return op->emitOpError("C2: ") << scale.getName() << " is " << scale.getFloat() << "; expected > 0";
  return success();
}

LogicalResult SparseOp::verify() {
  if (getClasses() && getSetAttr() && getSetAttr().getValue() != ClassSet::Critical)
    return emitOpError("C1: runs on [") << stringifyClassSet(getSetAttr().getValue()) << "]; expected [critical]";
  return verifyScale(*this, getScale());
}

LogicalResult LinearOp::verify() {
  StringRef phi = paramOf(getFeatureMap()).getKeyword();
  if (phi != "softmax" && phi != "elu" && phi != "relu")
    return emitOpError("C1: ") << paramOf(getFeatureMap()).getName() << " is '" << phi
                               << "'; expected softmax, elu or relu";
  StringRef over = "marginal";
  if (ParamOp param = paramOf(getOver())) {
    over = param.getKeyword();
    if (!getClasses())
      return emitOpError("C2: over(") << param.getName() << ") needs `on %classes[..]`";
    if (over != "marginal" && over != "non_critical" && over != "all")
      return emitOpError("C2: ") << param.getName() << " is '" << over << "'; expected marginal, non_critical or all";
  }
  if (getClasses()) {
    ClassSet set = getSetAttr().getValue();
    if (!bitEnumContainsAll(set, ClassSet::Marginal) || bitEnumContainsAny(set, ClassSet::Critical))
      return emitOpError("C3: runs on [") << stringifyClassSet(set) << "]; expected marginal, or marginal and negligible";
    if (bitEnumContainsAny(set, ClassSet::Negligible) && over == "marginal")
      return emitOpError("C3: runs on [") << stringifyClassSet(set) << "] but is over marginal, which leaves negligible out";
  }
  if (ParamOp eps = paramOf(getEps()))
    if (eps.isAuto() || !(eps.getFloat() >= 0))
      return emitOpError("C4: ") << eps.getName() << " must be a number >= 0";
  return success();
}

LogicalResult BlockMeanOp::verify() {
  if (getSetAttr().getValue() != ClassSet::Marginal)
    return emitOpError("C1: runs on [") << stringifyClassSet(getSetAttr().getValue()) << "]; expected [marginal]";
  return verifyScale(*this, getScale());
}
