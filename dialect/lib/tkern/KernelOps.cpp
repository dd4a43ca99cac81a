// kernel and memory ops: syntax and verifiers.
#include "../syntax/SymbolRegion.h"

#include "tercet/dialect/TkernDialect.h"

using namespace mlir;
using namespace tercet::tkern;

// `tkern.kernel @name(%item0: index, .., %argument: type) { .. }`
ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  return tercet::ir::parseSymbolRegion(parser, result, {}, arguments);
}

void KernelOp::print(OpAsmPrinter &printer) { tercet::ir::printSymbolRegion(printer, *this); }

LogicalResult KernelOp::verifyRegions() {
  auto types = getBody().front().getArgumentTypes();
  if (types.size() < 3)
    return emitOpError("C1: has ") << types.size() << " arguments; the first three are the item's indices";
  for (auto [index, type] : llvm::enumerate(types)) {
    bool legal = isa<IndexType>(type) || (index >= 3 && (isa<PointerType, TensorMapType>(type) || type.isF64()));
    if (!legal)
      return emitOpError("C1: argument ") << index << " is " << type << "; expected "
                                          << (index < 3 ? "index" : "a pointer, index, f64 or tensor map");
  }
  if (Operation &last = getBody().front().back(); !isa<EndOp>(last))
    return emitOpError("C2: ends with '") << last.getName() << "', expected tkern.end";
  return success();
}

LogicalResult ScratchOp::verify() {
  ViewType type = getView().getType();
  if (ShapedType::isDynamic(type.getRows()) || ShapedType::isDynamic(type.getCols()) || !type.hasStaticStride())
    return emitOpError("has the type ") << type << "; scratch has static extents and stride";
  if (type.getSpace() == Space::Global)
    return emitOpError("cannot make global memory");
  return success();
}

LogicalResult ViewOp::verify() {
  if (getView().getType().hasStaticStride() == static_cast<bool>(getStride()))
    return emitOpError("takes a stride operand exactly where the view's stride is ?");
  if (getBase().getType().getElementType() != getView().getType().getElementType())
    return emitOpError("sees ") << getBase().getType() << " as " << getView().getType();
  return success();
}

LogicalResult SubviewOp::verify() {
  ViewType source = getSource().getType(), view = getView().getType();
  if (source.getElementType() != view.getElementType() || source.getStride() != view.getStride() ||
      source.getSpace() != view.getSpace())
    return emitOpError("changes more than the extents: ") << source << " to " << view;
  return success();
}

LogicalResult ReadOp::verify() {
  Type element = getPointer().getType().getElementType();
  if (isa<FloatType>(element) != getValue().getType().isF32())
    return emitOpError("reads ") << element << " as " << getValue().getType()
                                 << "; integers become index and floats f32";
  return success();
}

LogicalResult WriteOp::verify() {
  if (Type element = getPointer().getType().getElementType(); !element.isInteger(8) && !element.isInteger(32))
    return emitOpError("writes an integer as ") << element << "; expected i8 or i32";
  return success();
}

LogicalResult CallOp::verify() {
  for (StringRef word : {getCallee(), getHeader()})
    if (word.empty() || !llvm::all_of(word, [](char c) { return llvm::isLower(c) || llvm::isDigit(c) || c == '_'; }))
      return emitOpError("C1: names '") << word << "'; expected lower-case letters, digits and underscores";
  for (Attribute constant : getConstants())
    if (!isa<IntegerAttr, TypeAttr>(constant))
      return emitOpError("C2: has the constant ") << constant << "; expected an integer, a flag or an element type";
  return success();
}
