// The syntax of a class set behind a classes value: `%classes[critical, marginal]`.
#pragma once

#include "tercet/dialect/TercetDialect.h"

namespace tercet::ir {
mlir::ParseResult parseClassSet(mlir::OpAsmParser &parser, ClassSetAttr &set);
void printClassSet(mlir::OpAsmPrinter &printer, mlir::Operation *, ClassSetAttr set);
} // namespace tercet::ir
