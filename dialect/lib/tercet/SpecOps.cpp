// spec and param: syntax, lookups and verifiers (docs/spec.md#spec, #param).
#include "ClassSetSyntax.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tercet::ir;

//===- spec ---------------------------------------------------------------------------------------------------------===

// `tercet.spec @name(%q: type, ..) { .. }`; SSA names become arg_names, since MLIR does not keep them.
ParseResult SpecOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  if (parser.parseSymbolName(name, getSymNameAttrName(result.name), result.attributes) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren, /*allowType=*/true) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  SmallVector<Attribute> names;
  for (const OpAsmParser::Argument &argument : arguments)
    names.push_back(parser.getBuilder().getStringAttr(argument.ssaName.name.drop_front()));
  result.addAttribute(getArgNamesAttrName(result.name), parser.getBuilder().getArrayAttr(names));
  return parser.parseRegion(*result.addRegion(), arguments);
}

void SpecOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << '(';
  llvm::interleaveComma(getBody().getArguments(), printer,
                        [&](BlockArgument argument) { printer.printRegionArgument(argument); });
  printer << ')';
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {getSymNameAttrName(), getArgNamesAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

void SpecOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  if (region.getNumArguments() != getArgNames().size())
    return;
  for (auto [argument, name] : llvm::zip(region.getArguments(), getArgNames().getAsRange<StringAttr>()))
    setName(argument, name.getValue());
}

ParamOp SpecOp::lookupParam(StringRef name) {
  for (ParamOp param : getBody().getOps<ParamOp>())
    if (param.getName() == name)
      return param;
  return {};
}

Value SpecOp::lookupArgument(StringRef name) {
  for (auto [argument, argumentName] : llvm::zip(getBody().getArguments(), getArgNames().getAsRange<StringAttr>()))
    if (argumentName.getValue() == name)
      return argument;
  return {};
}

Operation *SpecOp::getClassification() {
  for (SelectOp select : getBody().getOps<SelectOp>())
    return select;
  return nullptr;
}

static LogicalResult verifyArguments(SpecOp spec) {
  Block &body = spec.getBody().front();
  if (body.getNumArguments() != spec.getArgNames().size())
    return spec.emitOpError("C1: has ") << body.getNumArguments() << " arguments but " << spec.getArgNames().size()
                                        << " names";
  static constexpr StringRef tokenNames[] = {"q", "k", "v"};
  for (auto [index, argument] : llvm::enumerate(body.getArguments())) {
    StringRef name = cast<StringAttr>(spec.getArgNames()[index]).getValue();
    if (index < 3 && (name != tokenNames[index] || !isa<TokensType>(argument.getType())))
      return spec.emitOpError("C1: argument ") << index << " is '" << name << ": " << argument.getType()
                                               << "', expected '" << tokenNames[index] << ": !tercet.tokens'";
    if (index >= 3 && !isa<WeightType>(argument.getType()))
      return spec.emitOpError("C1: argument '") << name << "' is " << argument.getType()
                                                << "; arguments after q, k, v are !tercet.weight";
  }
  if (body.getNumArguments() < 3)
    return spec.emitOpError("C1: has ") << body.getNumArguments() << " arguments, expected at least q, k, v";
  return success();
}

static LogicalResult verifyNames(SpecOp spec) {
  llvm::StringSet<> taken;
  for (StringRef reserved : {"q_len", "k_len", "classes", "o", "lse", "do", "dq", "dk", "dv", "dw", "db"})
    taken.insert(reserved);
  for (StringAttr name : spec.getArgNames().getAsRange<StringAttr>())
    if (!taken.insert(name.getValue()).second)
      return spec.emitOpError("C2: argument name '") << name.getValue() << "' is taken or reserved";
  for (ParamOp param : spec.getBody().getOps<ParamOp>())
    if (!taken.insert(param.getName()).second)
      return param.emitOpError("spec C2: parameter name '") << param.getName() << "' is taken or reserved";
  return success();
}

static LogicalResult verifyCoverage(SpecOp spec) {
  auto selects = llvm::to_vector(spec.getBody().getOps<SelectOp>());
  if (selects.size() > 1) {
    InFlightDiagnostic diagnostic = selects[1].emitOpError("spec C4: a second classification in one spec");
    diagnostic.attachNote(selects[0].getLoc()) << "the first one is here";
    return diagnostic;
  }
  if (selects.empty())
    return success();
  Value classes = selects[0].getClasses();
  ClassSet covered{};
  for (Operation *user : classes.getUsers()) {
    auto set = user->getAttrOfType<ClassSetAttr>("set");
    if (!set)
      continue;
    if (bitEnumContainsAny(covered, set.getValue()))
      return user->emitOpError("spec C3: class '") << stringifyClassSet(covered & set.getValue())
                                                   << "' is covered a second time";
    covered = covered | set.getValue();
  }
  ClassSet held = ClassSet::Critical | ClassSet::Marginal;
  if (selects[0].getDrop())
    held = held | ClassSet::Negligible;
  ClassSet missing = held & ~covered;
  if (missing != ClassSet{})
    return selects[0].emitOpError("spec C3: class '")
           << stringifyClassSet(missing) << "' is not covered; give it to a region or to tercet.skip";
  return success();
}

LogicalResult SpecOp::verifyRegions() {
  if (failed(verifyArguments(*this)) || failed(verifyNames(*this)))
    return failure();
  if (!isa<ReturnOp>(getBody().front().back()))
    return emitOpError("ends without tercet.return");
  return verifyCoverage(*this);
}

//===- param --------------------------------------------------------------------------------------------------------===

ParamKind ParamOp::getKind() {
  if (auto type = dyn_cast<StaticType>(getType()))
    return type.getKind();
  return cast<RuntimeType>(getType()).getKind();
}
double ParamOp::getFloat() { return cast<FloatAttr>(getValue()).getValueAsDouble(); }
int64_t ParamOp::getInteger() { return cast<IntegerAttr>(getValue()).getInt(); }
StringRef ParamOp::getKeyword() { return cast<StringAttr>(getValue()).getValue(); }
bool ParamOp::getFlag() { return cast<BoolAttr>(getValue()).getValue(); }

// `tercet.param name = value : type`, value a number, true, false, auto or a keyword.
ParseResult ParamOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  std::string name;
  StringRef keyword;
  double number = 0;
  SMLoc valueLoc;
  Type type;
  if (parser.parseKeywordOrString(&name) || parser.parseEqual())
    return failure();
  valueLoc = parser.getCurrentLocation();
  bool isKeyword = succeeded(parser.parseOptionalKeyword(&keyword));
  int64_t integer = 0;
  OptionalParseResult isInteger = isKeyword ? OptionalParseResult() : parser.parseOptionalInteger(integer);
  if (isInteger.has_value() && failed(*isInteger))
    return failure();
  if (!isKeyword && !isInteger.has_value() && parser.parseFloat(number))
    return failure();
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(type))
    return failure();
  Attribute value;
  bool wantsFloat = (isa<StaticType>(type) && cast<StaticType>(type).getKind() == ParamKind::Float) ||
                    (isa<RuntimeType>(type) && cast<RuntimeType>(type).getKind() == ParamKind::Float);
  if (!isKeyword) {
    if (!wantsFloat && !isInteger.has_value())
      return parser.emitError(valueLoc, "expected an integer value");
    value = !wantsFloat ? Attribute(builder.getI64IntegerAttr(integer))
                        : builder.getF64FloatAttr(isInteger.has_value() ? static_cast<double>(integer) : number);
  } else if (keyword == "auto") {
    value = builder.getUnitAttr();
  } else if (keyword == "true" || keyword == "false") {
    value = builder.getBoolAttr(keyword == "true");
  } else {
    value = builder.getStringAttr(keyword);
  }
  result.addAttribute(getNameAttrName(result.name), builder.getStringAttr(name));
  result.addAttribute(getValueAttrName(result.name), value);
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
      return emitOpError("C2: '") << getName() << "' is auto, which only a !tercet.runtime<f64> can be, not " << getType();
    return success();
  }
  bool matches = (kind == ParamKind::Float && isa<FloatAttr>(getValue())) ||
                 (kind == ParamKind::Integer && isa<IntegerAttr>(getValue()) && !isa<BoolAttr>(getValue())) ||
                 (kind == ParamKind::Keyword && isa<StringAttr>(getValue())) ||
                 (kind == ParamKind::Flag && isa<BoolAttr>(getValue()));
  if (!matches)
    return emitOpError("C1: '") << getName() << "' has the value " << getValue() << ", which is not of type " << getType();
  if (kind == ParamKind::Float && !cast<FloatAttr>(getValue()).getValue().isFinite())
    return emitOpError("C1: '") << getName() << "' must be finite";
  return success();
}

#define GET_OP_CLASSES
#include "tercet/dialect/TercetOps.cpp.inc"
