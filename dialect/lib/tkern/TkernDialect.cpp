// Registers the tkern dialect; syntax of its shaped types.
#include "tercet/dialect/TkernDialect.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tercet::tkern;

#include "tercet/dialect/TkernDialect.cpp.inc"
#include "tercet/dialect/TkernEnums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "tercet/dialect/TkernTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "tercet/dialect/TkernAttrs.cpp.inc"

void TkernDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "tercet/dialect/TkernTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "tercet/dialect/TkernAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tercet/dialect/TkernOps.cpp.inc"
      >();
}

// `<64x128xf32, stride 128, local>`; an extent or stride may be `?`.
Type ViewType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  int64_t stride = ShapedType::kDynamic;
  StringRef space;
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/true) || parser.parseType(elementType) ||
      parser.parseComma() || parser.parseKeyword("stride"))
    return {};
  if (failed(parser.parseOptionalQuestion()) && parser.parseInteger(stride))
    return {};
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseComma() || parser.parseKeyword(&space) || parser.parseGreater())
    return {};
  std::optional<Space> where = symbolizeSpace(space);
  if (shape.size() != 2 || !where) {
    parser.emitError(location, "expected <ROWSxCOLSxTYPE, stride N, global|local|shared|register>");
    return {};
  }
  return get(parser.getContext(), shape[0], shape[1], elementType, stride, *where);
}

void ViewType::print(AsmPrinter &printer) const {
  auto extent = [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      printer << '?';
    else
      printer << size;
  };
  printer << '<';
  extent(getRows());
  printer << 'x';
  extent(getCols());
  printer << 'x' << getElementType() << ", stride ";
  extent(getStride());
  printer << ", " << stringifySpace(getSpace()) << '>';
}

// `<4x64>`
Type TileType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false, /*withTrailingX=*/false) ||
      parser.parseGreater())
    return {};
  if (shape.size() != 2) {
    parser.emitError(parser.getNameLoc(), "expected <ROWSxCOLS>");
    return {};
  }
  return get(parser.getContext(), shape[0], shape[1]);
}

void TileType::print(AsmPrinter &printer) const { printer << '<' << getRows() << 'x' << getCols() << '>'; }
