// Verifiers of pooled_scores and select, and the class-set syntax (docs/spec.md#pooled_scores, #select).
#include "ClassSetSyntax.h"
#include "ParamOperands.h"

#include <cmath>

using namespace mlir;
using namespace tercet::ir;

// `[critical, marginal]`
ParseResult tercet::ir::parseClassSet(OpAsmParser &parser, ClassSetAttr &set) {
  ClassSet bits{};
  auto parseOne = [&]() -> ParseResult {
    StringRef keyword;
    SMLoc location = parser.getCurrentLocation();
    if (parser.parseKeyword(&keyword))
      return failure();
    std::optional<ClassSet> bit = symbolizeClassSet(keyword);
    if (!bit)
      return parser.emitError(location, "unknown class '")
             << keyword << "'; classes are critical, marginal, negligible";
    if (bitEnumContainsAny(bits, *bit))
      return parser.emitError(location, "class '") << keyword << "' is named twice";
    bits = bits | *bit;
    return success();
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square, parseOne))
    return failure();
  if (bits == ClassSet{})
    return parser.emitError(parser.getNameLoc(), "a class set names at least one of critical, marginal, negligible");
  set = ClassSetAttr::get(parser.getContext(), bits);
  return success();
}

void tercet::ir::printClassSet(OpAsmPrinter &printer, Operation *, ClassSetAttr set) {
  printer << '[' << stringifyClassSet(set.getValue()) << ']';
}

LogicalResult PooledScoresOp::verify() {
  if (failed(verifyParamOperands(*this)))
    return failure();
  for (Value operand : {getBlockQ(), getBlockK()}) {
    ParamOp block = paramOf(operand);
    if (int64_t size = block.getInteger(); size < 16 || size > 256 || size % 16 != 0)
      return emitOpError("C1: ") << block.getName() << " is " << size
                                 << "; a block size is a multiple of 16 from 16 to 256";
  }
  return success();
}

static LogicalResult verifyAmount(SelectOp op, ParamOp amount, bool isFraction) {
  if (amount.isAuto())
    return op.emitOpError("C1: ") << amount.getName() << " is auto; give a number";
  double value = amount.getFloat();
  if (isFraction && !(value >= 0 && value <= 1))
    return op.emitOpError("C1: ") << amount.getName() << " is " << numberText(value) << "; a fraction lies in [0, 1]";
  if (!isFraction && !(value >= 0 && value == std::floor(value)))
    return op.emitOpError("C1: ") << amount.getName() << " is " << numberText(value) << "; a count is an integer >= 0";
  return success();
}

LogicalResult SelectOp::verify() {
  if (failed(verifyParamOperands(*this)))
    return failure();
  ParamOp keep = paramOf(getKeep()), drop = paramOf(getDrop());
  if (static_cast<bool>(getDrop()) != getDropUnit().has_value())
    return emitOpError("C1: needs a drop amount and its unit together, or neither");
  bool keepsFraction = getKeepUnit() == KeepUnit::Fraction, dropsFraction = getDropUnit() == DropUnit::Fraction;
  if (failed(verifyAmount(*this, keep, keepsFraction)) || (drop && failed(verifyAmount(*this, drop, dropsFraction))))
    return failure();
  if (drop && keepsFraction && dropsFraction && keep.getFloat() + drop.getFloat() > 1 + 1e-9)
    return emitOpError("C2: ") << keep.getName() << " (" << numberText(keep.getFloat()) << ") + " << drop.getName()
                               << " (" << numberText(drop.getFloat()) << ") is more than 1";
  if (ParamOp rule = paramOf(getCountRule());
      rule && !llvm::is_contained({"floor", "ceil", "round"}, rule.getKeyword()))
    return emitOpError("C3: ") << rule.getName() << " is '" << rule.getKeyword() << "'; expected floor, ceil or round";
  for (Value operand : {getMinKeep(), getSink()})
    if (ParamOp amount = paramOf(operand); amount && amount.getInteger() < 0)
      return emitOpError("C4: ") << amount.getName() << " is " << amount.getInteger() << "; expected >= 0";
  return success();
}
