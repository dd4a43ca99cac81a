// Ranges of tables on a GPU: which tables of a mask have them, the kernel that makes them, and how interval reasoning
// (PairIntervals.h) reads them. A ranged table's buffer is @<table>_ranges; its rows are the indices along all axes but
// the ranged one.
#pragma once

#include "GpuPairScope.h"
#include "PairIntervals.h"

namespace tercet::compiler {

/// The tables that a mask reads with exactly one index that depends on query or key.
std::vector<GpuRangedTable> rangedTables(ir::MaskOp mask);

/// Bounds of a read whose indices lie within `indices`; nothing where its table has no ranges.
std::optional<Bounds> readRange(GpuPairScope &scope, const GpuProgram &program, ir::ReadOp read,
                                llvm::ArrayRef<Bounds> indices);

/// What a table's ranges take in bytes, and their rows.
Expr rangeRows(const GpuRangedTable &table);
Expr rangeBytes(const GpuRangedTable &table);
/// Blocks of threads of the kernel @ranges_<table>, one per row and 65536 entries of the ranged axis.
std::array<Expr, 3> rangeGrid(const GpuRangedTable &table);
mlir::OwningOpRef<mlir::ModuleOp> lowerTableRanges(mlir::MLIRContext &context, const GpuProgram &program,
                                                   const GpuRangedTable &table);

} // namespace tercet::compiler
