// spec: syntax, lookups and verifier (docs/spec.md#spec).
#include "../syntax/SymbolRegion.h"
#include "ClassSetSyntax.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tercet::ir;

// `tercet.spec @name(%q: type, ..) { .. }`; SSA names become arg_names, since MLIR does not keep them.
ParseResult SpecOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  if (parseSymbolRegion(parser, result, getArgNamesAttrName(result.name).strref(), arguments))
    return failure();
  SmallVector<Attribute> names;
  for (const OpAsmParser::Argument &argument : arguments)
    names.push_back(parser.getBuilder().getStringAttr(argument.ssaName.name.drop_front()));
  result.addAttribute(getArgNamesAttrName(result.name), parser.getBuilder().getArrayAttr(names));
  return success();
}

void SpecOp::print(OpAsmPrinter &printer) { printSymbolRegion(printer, *this, getArgNamesAttrName().strref()); }

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

std::string tercet::ir::argumentName(Value argument) {
  auto position = cast<BlockArgument>(argument);
  auto spec = cast<SpecOp>(position.getOwner()->getParentOp());
  return cast<StringAttr>(spec.getArgNames()[position.getArgNumber()]).str();
}

Operation *SpecOp::getClassification() {
  for (Operation &op : getBody().front())
    if (op.getNumResults() == 1 && isa<ClassesType>(op.getResult(0).getType()))
      return &op;
  return nullptr;
}

#define GET_OP_CLASSES
#include "tercet/dialect/TercetOps.cpp.inc"
