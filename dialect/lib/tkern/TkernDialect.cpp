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

static LogicalResult verifyElement(function_ref<InFlightDiagnostic()> emitError, StringRef type, Type element) {
  if (element.isIntOrFloat())
    return success();
  return emitError() << type << " of " << element << "; elements are integers or floats";
}

LogicalResult PointerType::verify(function_ref<InFlightDiagnostic()> emitError, Type elementType) {
  return verifyElement(emitError, "a pointer", elementType);
}

// A tile lives in registers: 64 x 64 for a warpgroup is the largest that any target has, with room to spare.
static constexpr int64_t maxTileElements = 1 << 16;

static LogicalResult verifyExtents(function_ref<InFlightDiagnostic()> emitError, int64_t rows, int64_t cols) {
  if (rows < 1 || cols < 1 || rows > maxTileElements || cols > maxTileElements || rows * cols > maxTileElements)
    return emitError() << "a tile of " << rows << " x " << cols << "; extents are >= 1, and at most " << maxTileElements
                       << " elements";
  return success();
}

LogicalResult TileType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rows, int64_t cols) {
  return verifyExtents(emitError, rows, cols);
}

LogicalResult PendingType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rows, int64_t cols) {
  return verifyExtents(emitError, rows, cols);
}

// `<64x128xf32, stride 128, local>`; an extent or stride may be `?`; `, swizzled` may follow.
Type ViewType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  int64_t stride = ShapedType::kDynamic;
  StringRef space, layoutName = "rows";
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/true) || parser.parseType(elementType) ||
      parser.parseComma() || parser.parseKeyword("stride"))
    return {};
  if (failed(parser.parseOptionalQuestion()) && parser.parseInteger(stride))
    return {};
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseComma() || parser.parseKeyword(&space) ||
      (succeeded(parser.parseOptionalComma()) && parser.parseKeyword(&layoutName)) || parser.parseGreater())
    return {};
  std::optional<Space> where = symbolizeSpace(space);
  std::optional<Layout> layout = symbolizeLayout(layoutName);
  if (shape.size() != 2 || !where || !layout) {
    parser.emitError(location, "expected <ROWSxCOLSxTYPE, stride N, global|local|shared|register[, swizzled]>");
    return {};
  }
  return getChecked([&] { return parser.emitError(location); }, parser.getContext(), shape[0], shape[1], elementType,
                    stride, *where, *layout);
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
  printer << ", " << stringifySpace(getSpace());
  if (getLayout() != Layout::Rows)
    printer << ", " << stringifyLayout(getLayout());
  printer << '>';
}

LogicalResult ViewType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rows, int64_t cols,
                               Type elementType, int64_t stride, Space space, Layout layout) {
  for (int64_t extent : {rows, cols})
    if (extent < 1 && !ShapedType::isDynamic(extent))
      return emitError() << "a view has an extent of " << extent << "; extents are >= 1 or ?";
  if (stride < 0 && !ShapedType::isDynamic(stride))
    return emitError() << "a view has a stride of " << stride << "; strides are >= 0 or ?";
  if (failed(verifyElement(emitError, "a view", elementType)) || layout == Layout::Rows)
    return success(elementType.isIntOrFloat());
  if (space != Space::Shared || stride < 0 || stride * elementType.getIntOrFloatBitWidth() != 1024)
    return emitError() << "a swizzled view lies in shared memory, in boxes of 128 bytes; got a stride of " << stride
                       << " x " << elementType << " in " << stringifySpace(space) << " memory";
  if (rows < 1 || rows % 8 != 0 || cols < 1 || cols % stride != 0)
    return emitError() << "a swizzled view has rows in multiples of 8 and columns in multiples of its stride; got "
                       << rows << "x" << cols << ", stride " << stride;
  return success();
}

// `<ROWSxCOLS>` of a tile or a product in flight.
static bool parseExtents(AsmParser &parser, SmallVectorImpl<int64_t> &shape) {
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false, /*withTrailingX=*/false) ||
      parser.parseGreater())
    return false;
  if (shape.size() == 2)
    return true;
  parser.emitError(parser.getNameLoc(), "expected <ROWSxCOLS>");
  return false;
}

Type TileType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  SMLoc location = parser.getCurrentLocation();
  if (!parseExtents(parser, shape))
    return {};
  return getChecked([&] { return parser.emitError(location); }, parser.getContext(), shape[0], shape[1]);
}

void TileType::print(AsmPrinter &printer) const { printer << '<' << getRows() << 'x' << getCols() << '>'; }

Type PendingType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  SMLoc location = parser.getCurrentLocation();
  if (!parseExtents(parser, shape))
    return {};
  return getChecked([&] { return parser.emitError(location); }, parser.getContext(), shape[0], shape[1]);
}

void PendingType::print(AsmPrinter &printer) const { printer << '<' << getRows() << 'x' << getCols() << '>'; }
