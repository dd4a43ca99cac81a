// Registers the tercet dialect's types, attributes and ops.
#include "tercet/dialect/TercetDialect.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tercet::ir;

#include "tercet/dialect/TercetDialect.cpp.inc"
#include "tercet/dialect/TercetEnums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "tercet/dialect/TercetTypes.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "tercet/dialect/TercetAttrs.cpp.inc"

void TercetDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "tercet/dialect/TercetTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "tercet/dialect/TercetAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tercet/dialect/TercetOps.cpp.inc"
      >();
}
