// The backward of several branches, or of one with a gate or over pools (decision 22): the forward's stages again, each with O and LSE in
// buffers; then
//
//   prologue   gate_<stage>            dO of a branch: dO times its gate
//              pool_<stage>            the sum of these over the queries that share a row
//              gradient_rows_<stage>   shifts and sums of its rows
//   gradient   two passes per branch   (GradientKernel.h) sums in f32 of dQ, dK and dV, or gradients of pools
//              spread_<stage>_<x>      these to the sums of their tokens
//              gradient_queries,
//              gradient_keys           the sums as gradients
#pragma once

#include "StageKernel.h"

namespace tercet::compiler {

/// What a branch's passes take of its rows. rows: the stage that has O and LSE.
void addBranchRows(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                   const GradientPass &pass);
/// Behind a pass: gradients of pools to their tokens, if it made some.
void addSpreads(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                const GradientPass &pass);
/// The sums of a side as gradients.
void addSumStores(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                  const GradientPass &pass);

/// Sums, gradients of pools, and what rows need.
void addBranchBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program);

/// Shifts and sums of query rows: of the call's o, do and lse, or of a branch.
mlir::OwningOpRef<mlir::ModuleOp> lowerGradientRows(mlir::MLIRContext &context, const GpuProgram &program,
                                                    const GradientPass &pass);

} // namespace tercet::compiler
