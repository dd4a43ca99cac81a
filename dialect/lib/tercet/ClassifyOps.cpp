// Verifiers of pooled_scores and select, and the class-set syntax (docs/spec.md#pooled_scores, #select).
#include "ClassSetSyntax.h"

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
      return parser.emitError(location, "unknown class '") << keyword << "'; classes are critical, marginal, negligible";
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
  for (Value operand : {getBlockQ(), getBlockK()}) {
    ParamOp block = paramOf(operand);
    if (int64_t size = block.getInteger(); size < 16 || size > 256 || size % 16 != 0)
      return emitOpError("C1: ") << block.getName() << " is " << size << "; a block size is a multiple of 16 from 16 to 256";
  }
  return success();
}

static LogicalResult verifyAmount(SelectOp op, ParamOp amount, bool isFraction) {
  double value = amount.getFloat();
  if (isFraction && !(value >= 0 && value <= 1))
    return op.emitOpError("C1: ") << amount.getName() << " is " << value << "; a fraction lies in [0, 1]";
  if (!isFraction && !(value >= 0 && value == static_cast<double>(static_cast<int64_t>(value))))
    return op.emitOpError("C1: ") << amount.getName() << " is " << value << "; a count is an integer >= 0";
  return success();
}

LogicalResult SelectOp::verify() {
  ParamOp keep = paramOf(getKeep()), drop = paramOf(getDrop());
  for (ParamOp amount : {keep, drop})
    if (amount && amount.isAuto())
      return emitOpError("C1: ") << amount.getName() << " is auto; give a number";
  if (failed(verifyAmount(*this, keep, getKeepUnit() == KeepUnit::Fraction)))
    return failure();
  if (drop) {
    bool dropsFraction = getDropUnit() == DropUnit::Fraction;
    if (failed(verifyAmount(*this, drop, dropsFraction)))
      return failure();
    if (dropsFraction && getKeepUnit() == KeepUnit::Fraction && keep.getFloat() + drop.getFloat() > 1 + 1e-9)
      return emitOpError("C2: ") << keep.getName() << " (" << keep.getFloat() << ") + " << drop.getName() << " ("
                                 << drop.getFloat() << ") is more than 1";
  }
  if (ParamOp rule = paramOf(getCountRule()))
    if (rule.getKeyword() != "floor" && rule.getKeyword() != "ceil" && rule.getKeyword() != "round")
      return emitOpError("C3: ") << rule.getName() << " is '" << rule.getKeyword() << "'; expected floor, ceil or round";
  for (Value operand : {getMinKeep(), getSink()})
    if (ParamOp amount = paramOf(operand); amount && amount.getInteger() < 0)
      return emitOpError("C4: ") << amount.getName() << " is " << amount.getInteger() << "; expected >= 0";
  return success();
}
