// The tercet dialect: C++ classes of its types, attributes and ops.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "tercet/dialect/TercetDialect.h.inc"
#include "tercet/dialect/TercetEnums.h.inc"
#define GET_TYPEDEF_CLASSES
#include "tercet/dialect/TercetTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "tercet/dialect/TercetAttrs.h.inc"

namespace tercet::ir {
class ParamOp;
/// The parameter behind an operand; operands of parameter type always come from tercet.param.
ParamOp paramOf(mlir::Value operand);
} // namespace tercet::ir

#define GET_OP_CLASSES
#include "tercet/dialect/TercetOps.h.inc"
