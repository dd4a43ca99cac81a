// param: syntax, typed access and verifier, and the checks of its uses (docs/spec.md#param).
#include "ParamOperands.h"

#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

#include <cstdio>
#include <cstdlib>

using namespace mlir;
using namespace tercet::ir;

ParamKind ParamOp::getKind() {
  if (auto type = dyn_cast<StaticType>(getType()))
    return type.getKind();
  return cast<RuntimeType>(getType()).getKind();
}
double ParamOp::getFloat() { return cast<FloatAttr>(getValue()).getValueAsDouble(); }
int64_t ParamOp::getInteger() { return cast<IntegerAttr>(getValue()).getInt(); }
StringRef ParamOp::getKeyword() { return cast<StringAttr>(getValue()).getValue(); }
bool ParamOp::getFlag() { return cast<BoolAttr>(getValue()).getValue(); }

ParamOp tercet::ir::paramOf(Value operand) { return operand ? operand.getDefiningOp<ParamOp>() : ParamOp(); }

static bool isParamType(Type type) { return isa<StaticType, RuntimeType>(type); }

static bool holdsFloat(Type type) {
  if (auto atCompile = dyn_cast<StaticType>(type))
    return atCompile.getKind() == ParamKind::Float;
  auto atLaunch = dyn_cast<RuntimeType>(type);
  return atLaunch && atLaunch.getKind() == ParamKind::Float;
}

// The parser offers no look-ahead past a minus sign; a number is a float literal iff a point follows its digits.
static bool isFloatLiteral(SMLoc location) {
  const char *text = location.getPointer();
  text += *text == '-';
  while (*text >= '0' && *text <= '9')
    ++text;
  return *text == '.';
}

// `tercet.param name = value : type`, value a number, true, false, auto or a keyword.
ParseResult ParamOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  std::string name;
  StringRef keyword;
  double number = 0;
  int64_t integer = 0;
  Type type;
  if (parser.parseKeywordOrString(&name) || parser.parseEqual())
    return failure();
  SMLoc valueLoc = parser.getCurrentLocation();
  bool isKeyword = succeeded(parser.parseOptionalKeyword(&keyword));
  bool isFloat = !isKeyword && isFloatLiteral(valueLoc);
  if (!isKeyword && (isFloat ? parser.parseFloat(number) : parser.parseInteger(integer)))
    return failure();
  NamedAttrList attributes;
  SMLoc attributesLoc = parser.getCurrentLocation();
  if (parser.parseOptionalAttrDict(attributes) || parser.parseColonType(type))
    return failure();
  for (StringAttr inherent : {getNameAttrName(result.name), getValueAttrName(result.name)})
    if (attributes.get(inherent))
      return parser.emitError(attributesLoc, "attribute '") << inherent.getValue() << "' is part of the syntax";
  Attribute value;
  if (isKeyword && keyword == "auto")
    value = builder.getUnitAttr();
  else if (isKeyword && (keyword == "true" || keyword == "false"))
    value = builder.getBoolAttr(keyword == "true");
  else if (isKeyword)
    value = builder.getStringAttr(keyword);
  else if (isFloat && !holdsFloat(type))
    return parser.emitError(valueLoc, "expected an integer value");
  else if (holdsFloat(type))
    value = builder.getF64FloatAttr(isFloat ? number : static_cast<double>(integer));
  else
    value = builder.getI64IntegerAttr(integer);
  result.addAttribute(getNameAttrName(result.name), builder.getStringAttr(name));
  result.addAttribute(getValueAttrName(result.name), value);
  result.attributes.append(attributes);
  result.addTypes(type);
  return success();
}

void ParamOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printKeywordOrString(getName());
  printer << " = ";
  if (auto number = dyn_cast<FloatAttr>(getValue()))
    printer.printFloat(number.getValue());
  else if (auto flag = dyn_cast<BoolAttr>(getValue()))
    printer << (flag.getValue() ? "true" : "false");
  else if (auto integer = dyn_cast<IntegerAttr>(getValue()))
    printer << integer.getInt();
  else if (auto keyword = dyn_cast<StringAttr>(getValue()))
    printer << keyword.getValue();
  else
    printer << "auto";
  printer.printOptionalAttrDict((*this)->getAttrs(), {getNameAttrName(), getValueAttrName()});
  printer << " : " << getType();
}

LogicalResult ParamOp::verify() {
  ParamKind kind = getKind();
  if (isAuto()) {
    if (isStatic() || kind != ParamKind::Float)
      return emitOpError("C2: '") << getName() << "' is auto, which only a !tercet.runtime<f64> can be, not "
                                  << getType();
    return success();
  }
  if (!isStatic() && kind != ParamKind::Float && kind != ParamKind::Integer)
    return emitOpError("C1: '") << getName() << "' is of type " << getType()
                                << "; a runtime parameter is a number, f64 or i64";
  auto number = dyn_cast<FloatAttr>(getValue());
  auto integer = dyn_cast<IntegerAttr>(getValue());
  auto keyword = dyn_cast<StringAttr>(getValue());
  bool matches = (kind == ParamKind::Float && number && number.getType().isF64()) ||
                 (kind == ParamKind::Integer && integer && integer.getType().isSignlessInteger(64)) ||
                 (kind == ParamKind::Keyword && keyword) || (kind == ParamKind::Flag && isa<BoolAttr>(getValue()));
  if (!matches)
    return emitOpError("C1: '") << getName() << "' has the value " << getValue() << ", which is not of type "
                                << getType();
  if (number && !number.getValue().isFinite())
    return emitOpError("C1: '") << getName() << "' is " << numberText(number.getValueAsDouble())
                                << "; expected a finite number";
  if (keyword && (!isIdentifier(keyword) || keyword == "auto" || keyword == "true" || keyword == "false"))
    return emitOpError("C1: '") << getName() << "' is " << keyword << ", which is not a keyword";
  return success();
}

LogicalResult tercet::ir::verifyParamOperands(Operation *op) {
  for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
    if (!isParamType(operand.getType()))
      continue;
    ParamOp param = paramOf(operand);
    if (!param)
      return op->emitOpError("param C3: operand ")
             << index << " is of type " << operand.getType() << " but does not come from tercet.param";
    // Forward references put a user before its parameter, which is then not verified yet.
    if (failed(mlir::verify(param, /*verifyRecursively=*/false)))
      return failure();
  }
  return success();
}

std::string tercet::ir::numberText(double value) {
  char text[32];
  for (int digits : {6, 15, 17}) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (std::strtod(text, nullptr) == value)
      break;
  }
  return text;
}

bool tercet::ir::isIdentifier(StringRef name) {
  auto isLetter = [](char c) { return llvm::isAlpha(c) || c == '_'; };
  return !name.empty() && isLetter(name.front()) &&
         llvm::all_of(name, [&](char c) { return isLetter(c) || llvm::isDigit(c); });
}
