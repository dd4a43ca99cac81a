// The tercet dialect: C++ classes of its types, attributes and ops.
#pragma once

#include "tercet/TableAxis.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <optional>

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

/// The name of an argument of a spec.
std::string argumentName(mlir::Value argument);
/// Whether a branch has a log-sum-exp (docs/spec.md#combine).
bool hasLse(mlir::Value branch);

/// Tokens of a classification block along queries and keys.
struct BlockSizes {
  int64_t queries = 0, keys = 0;
  friend bool operator==(const BlockSizes &, const BlockSizes &) = default;
};
/// The blocks of an op that makes scores, a block set or classes; nothing for other ops.
std::optional<BlockSizes> blocksOf(mlir::Operation *op);

class SpecOp;
class TokenOrderOp;
/// The token order of a spec, or null.
TokenOrderOp tokenOrderOf(SpecOp spec);
} // namespace tercet::ir

#define GET_OP_CLASSES
#include "tercet/dialect/TercetOps.h.inc"
