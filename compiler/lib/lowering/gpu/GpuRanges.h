// Ranges of tables on a GPU: the kernel that makes them, and how interval reasoning (PairIntervals.h) reads them. The
// ranges of a table along an axis lie in buffer @<table>_ranges<axis>; its rows are the indices along the other axes.
#pragma once

#include "GpuPairScope.h"
#include "PairIntervals.h"

namespace tercet::compiler {

/// Bounds of a read whose indices lie within `indices`; nothing where its table has no ranges.
std::optional<Bounds> readRange(GpuPairScope &scope, const GpuProgram &program, ir::ReadOp read,
                                llvm::ArrayRef<Bounds> indices);

/// The kernels that make the ranges of a program's masks, once per call, and the buffers that these lie in.
void addRangeStages(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program);
void addRangeBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program);

/// Name and size of the ranges' buffer.
std::string rangesName(const RangedTable &ranged);
Expr rangesBytes(const RangedTable &ranged);
/// Blocks of threads of the kernel that makes them, which has the buffer's name: one per row and 65536 entries.
std::array<Expr, 3> rangesGrid(const RangedTable &ranged);
mlir::OwningOpRef<mlir::ModuleOp> lowerTableRanges(mlir::MLIRContext &context, const GpuProgram &program,
                                                   const RangedTable &ranged);

} // namespace tercet::compiler
