// See the header.
#include "SymbolRegion.h"

#include "mlir/IR/SymbolTable.h"

using namespace mlir;

static SmallVector<StringRef> withName(ArrayRef<StringRef> ownAttributes) {
  SmallVector<StringRef> names = {SymbolTable::getSymbolAttrName()};
  names.append(ownAttributes.begin(), ownAttributes.end());
  return names;
}

ParseResult tercet::ir::parseSymbolRegion(OpAsmParser &parser, OperationState &result,
                                          ArrayRef<StringRef> ownAttributes,
                                          SmallVectorImpl<OpAsmParser::Argument> &arguments) {
  StringAttr name;
  if (parser.parseSymbolName(name, SymbolTable::getSymbolAttrName(), result.attributes) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren, /*allowType=*/true))
    return failure();
  NamedAttrList attributes;
  SMLoc attributesLoc = parser.getCurrentLocation();
  if (parser.parseOptionalAttrDictWithKeyword(attributes))
    return failure();
  for (StringRef inherent : withName(ownAttributes))
    if (attributes.get(inherent))
      return parser.emitError(attributesLoc, "attribute '") << inherent << "' is part of the syntax";
  result.attributes.append(attributes);
  // Names are the region's own. If they were not, a name that is used before the op and defined inside would tie the
  // two together, and where the region then fails to parse, MLIR frees the definition under its use.
  return parser.parseRegion(*result.addRegion(), arguments, /*enableNameShadowing=*/true);
}

void tercet::ir::printSymbolRegion(OpAsmPrinter &printer, Operation *op, ArrayRef<StringRef> ownAttributes) {
  Region &body = op->getRegion(0);
  printer << ' ';
  printer.printSymbolName(SymbolTable::getSymbolName(op));
  printer << '(';
  llvm::interleaveComma(body.getArguments(), printer,
                        [&](BlockArgument argument) { printer.printRegionArgument(argument); });
  printer << ')';
  printer.printOptionalAttrDictWithKeyword(op->getAttrs(), withName(ownAttributes));
  printer << ' ';
  printer.printRegion(body, /*printEntryBlockArgs=*/false);
}
