// The table type, mask, and the ops of regions over pairs (docs/spec.md#table, #mask, #regions).
#include "ParamOperands.h"
#include "Regions.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::ir;

bool TableType::hasAxes(std::initializer_list<TableAxis> axes) const {
  return llvm::equal(getAxes(), axes, [](int64_t own, TableAxis axis) { return own == static_cast<int64_t>(axis); });
}

// `<[batch, query], i32>`
Type TableType::parse(AsmParser &parser) {
  SmallVector<int64_t> axes;
  Type element;
  auto parseAxis = [&]() -> ParseResult {
    StringRef keyword;
    SMLoc location = parser.getCurrentLocation();
    if (failed(parser.parseOptionalKeyword(&keyword))) {
      int64_t &size = axes.emplace_back(0);
      if (parser.parseInteger(size))
        return failure();
      return size > 0 ? success() : ParseResult(parser.emitError(location, "the size of an axis is at least 1"));
    }
    if (std::optional<TableAxis> axis = parseTableAxis(keyword)) {
      axes.push_back(static_cast<int64_t>(*axis));
      return success();
    }
    return parser.emitError(location, "unknown axis '")
           << keyword
           << "'; axes are batch, head, kv_head, query, key, query_block, key_block, feature, any and numbers";
  };
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseAxis) ||
      parser.parseComma() || parser.parseType(element) || parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(location); }, parser.getContext(), ArrayRef<int64_t>(axes), element);
}

void TableType::print(AsmPrinter &printer) const {
  printer << "<[";
  llvm::interleaveComma(getAxes(), printer, [&](int64_t axis) { printer << tableAxisText(axis); });
  printer << "], " << getElementType() << ">";
}

LogicalResult TableType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> axes, Type element) {
  if (axes.empty() || axes.size() > 4)
    return emitError() << "a table has " << axes.size() << " axes; expected 1 to 4";
  if (!element.isF32() && !element.isSignlessInteger(32))
    return emitError() << "a table holds " << element << "; expected f32 or i32";
  return success();
}

static SmallVector<Type> pairIndices(MLIRContext *context) { return SmallVector<Type>(4, IndexType::get(context)); }

LogicalResult MaskOp::verifyRegions() {
  if (failed(verifySignature(*this, getBody(), pairIndices(getContext()), IntegerType::get(getContext(), 1), "C1")))
    return failure();
  return verifyPairOps(*this, getBody(), "C2");
}

LogicalResult ReadOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, ValueRange operands,
                                       DictionaryAttr, OpaqueProperties, RegionRange, SmallVectorImpl<Type> &types) {
  auto table = operands.empty() ? TableType() : dyn_cast<TableType>(operands.front().getType());
  if (!table)
    return failure();
  types.push_back(table.getElementType().isF32() ? Type(Float32Type::get(context)) : IndexType::get(context));
  return success();
}

LogicalResult ReadOp::verify() {
  auto table = cast<TableType>(getTable().getType());
  if (getIndices().size() != table.getAxes().size())
    return emitOpError("C1: has ") << getIndices().size() << " indices for a table of " << table.getAxes().size()
                                   << " axes";
  if (!isa<BlockArgument>(getTable()))
    return emitOpError("C2: reads a table that is not an argument of the spec");
  return success();
}

LogicalResult ValueOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, ValueRange operands,
                                        DictionaryAttr, OpaqueProperties, RegionRange, SmallVectorImpl<Type> &types) {
  if (operands.empty())
    return failure();
  auto atCompile = dyn_cast<StaticType>(operands.front().getType());
  auto atLaunch = dyn_cast<RuntimeType>(operands.front().getType());
  if (!atCompile && !atLaunch)
    return failure();
  switch (atCompile ? atCompile.getKind() : atLaunch.getKind()) {
  case ParamKind::Integer:
    types.push_back(IndexType::get(context));
    break;
  case ParamKind::Flag:
    types.push_back(IntegerType::get(context, 1));
    break;
  case ParamKind::Float:
  case ParamKind::Keyword: // refused by the verifier
    types.push_back(Float32Type::get(context));
  }
  return success();
}

LogicalResult ValueOp::verify() {
  if (failed(verifyParamOperands(*this)))
    return failure();
  ParamOp param = paramOf(getParam());
  if (param.getKind() == ParamKind::Keyword || param.isAuto())
    return emitOpError("C1: ") << param.getName() << " is " << (param.isAuto() ? "auto" : "a keyword")
                               << "; expected a number or a flag";
  constexpr int64_t limit = 1 << 30; // integers of regions are 32-bit: parameters stay away from where they wrap
  if (param.getKind() == ParamKind::Integer && (param.getInteger() < -limit || param.getInteger() > limit))
    return emitOpError("C1: ") << param.getName() << " is " << param.getInteger()
                               << "; an integer of regions lies in [-2^30, 2^30]";
  return success();
}
