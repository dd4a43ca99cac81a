// What verifiers need of parameter operands: that they can be trusted, and how their values read in messages.
#pragma once

#include "tercet/dialect/TercetDialect.h"

#include <string>

namespace tercet::ir {

/// Checks that every parameter operand of `op` comes from a valid tercet.param, and says so on the op if not. Verifiers
/// call it before paramOf: IR that is not yet verified may hold anything, in any order.
mlir::LogicalResult verifyParamOperands(mlir::Operation *op);

/// The shortest decimal text that reads back as `value`: 0.1, not 1.000000e-01.
std::string numberText(double value);

/// Whether `name` is a letter or underscore, then letters, digits and underscores.
bool isIdentifier(llvm::StringRef name);

} // namespace tercet::ir
