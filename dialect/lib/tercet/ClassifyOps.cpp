// Verifiers of select, block_set and pattern, and the class-set syntax (docs/spec.md#select, #block_set, #pattern).
#include "Blocks.h"
#include "ClassSetSyntax.h"
#include "ParamOperands.h"
#include "Regions.h"

#include <cmath>

using namespace mlir;
using namespace tercet;
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

static LogicalResult verifyAmount(SelectOp op, ParamOp amount, bool isCount) {
  if (amount.isAuto())
    return op.emitOpError("C1: ") << amount.getName() << " is auto; give a number";
  double value = amount.getFloat();
  if (!isCount && !(value >= 0 && value <= 1))
    return op.emitOpError("C1: ") << amount.getName() << " is " << numberText(value) << "; a fraction lies in [0, 1]";
  if (isCount && !(value >= 0 && value == std::floor(value)))
    return op.emitOpError("C1: ") << amount.getName() << " is " << numberText(value) << "; a count is an integer >= 0";
  return success();
}

static LogicalResult verifyBudgets(SelectOp op) {
  if (!op.getBudgets())
    return success();
  auto table = cast<TableType>(op.getBudgets().getType());
  if (!isa<BlockArgument>(op.getBudgets()) || !table.hasAxes({TableAxis::head}) || !table.getElementType().isF32())
    return op.emitOpError("C6: budgets is ") << table << "; expected an argument of type table<[head], f32>";
  return success();
}

static LogicalResult verifySet(SelectOp op, Value set, StringRef name) {
  if (!set)
    return success();
  auto rule = set.getDefiningOp<BlockSetOp>();
  if (!rule)
    return op.emitOpError("C7: ") << name << " does not come from tercet.block_set";
  std::optional<BlockSizes> ofScores = blocksOf(op.getScores().getDefiningOp()), ofSet = blocksOf(rule);
  if (ofScores && ofSet && *ofScores != *ofSet)
    return op.emitOpError("C7: ") << name << " has blocks " << ofSet->queries << " x " << ofSet->keys
                                  << ", the scores have " << ofScores->queries << " x " << ofScores->keys;
  return success();
}

LogicalResult SelectOp::verify() {
  if (failed(verifyParamOperands(*this)))
    return failure();
  ParamOp keep = paramOf(getKeep()), drop = paramOf(getDrop());
  if (static_cast<bool>(getDrop()) != getDropUnit().has_value())
    return emitOpError("C1: needs a drop amount and its unit together, or neither");
  if (failed(verifyAmount(*this, keep, getKeepUnit() == KeepUnit::Count)) ||
      (drop && failed(verifyAmount(*this, drop, getDropUnit() == DropUnit::Count))))
    return failure();
  if (drop && getKeepUnit() == KeepUnit::Fraction && getDropUnit() == DropUnit::Fraction &&
      keep.getFloat() + drop.getFloat() > 1 + 1e-9)
    return emitOpError("C2: ") << keep.getName() << " (" << numberText(keep.getFloat()) << ") + " << drop.getName()
                               << " (" << numberText(drop.getFloat()) << ") is more than 1";
  if (ParamOp rule = paramOf(getCountRule());
      rule && !llvm::is_contained({"floor", "ceil", "round"}, rule.getKeyword()))
    return emitOpError("C3: ") << rule.getName() << " is '" << rule.getKeyword() << "'; expected floor, ceil or round";
  for (Value operand : {getMinKeep(), getMaxKeep(), getSink()})
    if (ParamOp amount = paramOf(operand); amount && amount.getInteger() < 0)
      return emitOpError("C4: ") << amount.getName() << " is " << amount.getInteger() << "; expected >= 0";
  if (ParamOp scope = paramOf(getScope());
      scope && !llvm::is_contained({"row", "head", "all_heads", "group"}, scope.getKeyword()))
    return emitOpError("C5: ") << scope.getName() << " is '" << scope.getKeyword()
                               << "'; expected row, head, all_heads or group";
  if (ParamOp apart = paramOf(getApart()), scope = paramOf(getScope());
      apart && apart.getFlag() && scope && scope.getKeyword() == "group")
    return emitOpError("C8: ") << apart.getName() << " is true under the scope group, whose P is a mean over heads";
  if (failed(verifyBudgets(*this)) || failed(verifySet(*this, getForced(), "forced")))
    return failure();
  return verifySet(*this, getForbidden(), "forbidden");
}

LogicalResult BlockSetOp::verify() { return verifyBlocks(*this); }

LogicalResult BlockSetOp::verifyRegions() {
  SmallVector<Type> indices(4, IndexType::get(getContext()));
  if (failed(verifySignature(*this, getBody(), indices, IntegerType::get(getContext(), 1), "C2")))
    return failure();
  return verifyPairOps(*this, getBody(), "C3");
}

LogicalResult PatternOp::verify() {
  if (!getSet().getDefiningOp<BlockSetOp>())
    return emitOpError("C1: set does not come from tercet.block_set");
  return success();
}
