// SymbolRegion: the syntax that tercet.spec and tkern.kernel share: `@name(%argument: type, ..) attributes {..} { body }`.
#pragma once

#include "mlir/IR/OpImplementation.h"

namespace tercet::ir {

/// Parses into sym_name, attributes and one region. `ownAttributes` are written by other parts of the syntax and refused
/// in the dictionary; sym_name is always one of them. arguments: as they were written, with their names.
mlir::ParseResult parseSymbolRegion(mlir::OpAsmParser &parser, mlir::OperationState &result,
                                    llvm::ArrayRef<llvm::StringRef> ownAttributes,
                                    llvm::SmallVectorImpl<mlir::OpAsmParser::Argument> &arguments);

/// Prints what parseSymbolRegion reads, from an op with sym_name and one region.
void printSymbolRegion(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                       llvm::ArrayRef<llvm::StringRef> ownAttributes = {});

} // namespace tercet::ir
