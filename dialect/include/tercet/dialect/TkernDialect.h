// The tkern dialect: C++ classes of its types and ops.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "tercet/dialect/TkernDialect.h.inc"
#include "tercet/dialect/TkernEnums.h.inc"
#define GET_TYPEDEF_CLASSES
#include "tercet/dialect/TkernTypes.h.inc"
#define GET_ATTRDEF_CLASSES
#include "tercet/dialect/TkernAttrs.h.inc"

#define GET_OP_CLASSES
#include "tercet/dialect/TkernOps.h.inc"
