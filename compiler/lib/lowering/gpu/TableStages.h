// Gradients of tables (TableShares.h) in a backward for GPUs:
//
//   gradient   clear_d<table>      0; once per call
//              gate_<stage>_d<..>  shares of gates, by row, or by row and feature
//              centre_<stage>      sums of P dP of query rows, where those of dO O are of a P of 16 bits
//              <pass>_d<table>     passes of score regions, one per read (GradientTables.cpp): sums of rows, or entries
//              sum_d<table>        what shares give to each entry, in one order
//
// Nothing of it runs where the gradient is not asked for.
#pragma once

#include "StageKernel.h"

namespace tercet::compiler {

/// Copies of the entries that a strip of rows has, a warp each: the most warps of a block.
inline constexpr int64_t tableCopies = 4;

/// Extents of shares, of the group's heads.
struct TableExtents {
  TableExtents(const GpuProgram &program, const GradientPass &pass, const TableShares &shares);

  Expr rows;   ///< of shares that a head has: queries, keys, or their pools; of entries copies
  Expr width;  ///< numbers of a row: 1, features, or entries of a copy
  Expr strips; ///< of a head's rows, which have copies each
  Expr
      owned; ///< 1 where each query has entries of its own at launch, to which a pass adds at once; else 0, as where one entry serves all
  Expr heads;   ///< whose entries differ in the first of two counts: 1 where heads share them
  Expr batches; ///< the same of batch entries
};

void addTableArguments(Plan &plan, const GpuProgram &program);
void addTableBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program);

void addTableClears(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program);
/// Behind what makes a branch's rows: those of its gate.
void addGateShares(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                   const GradientPass &pass);
void addTablePass(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                  const CudaTarget &target, const GradientPass &pass, std::vector<std::string> &remarks);
void addTableSums(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program);

/// Shares, with the pass that makes them.
struct SummedShares {
  const GradientPass *pass;
  const TableShares *shares;
};

// TableEntries.cpp, TableGates.cpp
mlir::OwningOpRef<mlir::ModuleOp> lowerTableClear(mlir::MLIRContext &context, const GpuProgram &program,
                                                  mlir::BlockArgument table);
mlir::OwningOpRef<mlir::ModuleOp> lowerGateShares(mlir::MLIRContext &context, const GpuProgram &program,
                                                  const GradientPass &pass, const TableShares &shares);
mlir::OwningOpRef<mlir::ModuleOp> lowerTableSums(mlir::MLIRContext &context, const GpuProgram &program,
                                                 mlir::BlockArgument table, llvm::ArrayRef<SummedShares> shares);

} // namespace tercet::compiler
