// The stages of a backward over a group for a linear branch, between `select` and the passes over pairs:
//
//   weight     pack_weight, pack_transposed   W and W^T as operands; once per call
//   gradient   bias_part                      sums of dO over chunks of rows, for db; once per call
//   prologue   value_centre                   centres of values
//              prologue                       h_j and z_j as the forward's, W folded in, of values less their centre
//   aggregate  aggregate                      H_i and Z_i, as the forward's
//   gradient   query_gradient                 the branch's dQ, and numbers of rows
//              query_states                   dH_i and dZ_i
//   select     transpose_bits                 sets of key blocks
//   aggregate  aggregate_keys                 dH_j and dZ_j, summed over the heads of a pair, too
//   gradient   project_values                 V W^T less its centre
//              key_gradient                   the branch's dK, and phi(K) dH
//              project_gradient               dV = phi(K) dH W
//              weight_part                    sums over chunks of keys, for dW
//              sum_weight, sum_bias           dW and db; after all groups
//
// Beside a softmax branch dQ, dK and dV lie in the workspace in f32, and the passes add them to theirs; alone they are the results.
#pragma once

#include "StageKernel.h"

namespace tercet::compiler {

void addLinearGradientStages(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                             const CudaTarget &target);

/// The buffers between them, but for the bits of linear sets.
void addLinearGradientBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program);

/// Bytes of these per pair of a group.
Expr linearGradientBytes(const GpuProgram &program);

/// Rows behind one part of dW, and of db.
inline constexpr int64_t weightPartRows = 512, biasPartRows = 256;
/// Rows of values behind a centre, at most.
inline constexpr int64_t centreSamples = 256;

// The kernels (LinearGradientKernels.cpp).
mlir::OwningOpRef<mlir::ModuleOp> lowerValueCentre(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerQueryGradient(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerQueryStates(mlir::MLIRContext &context, const GpuProgram &program,
                                                   const StateShape &shape);
mlir::OwningOpRef<mlir::ModuleOp> lowerTransposeBits(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerProjectValues(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerKeyGradient(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerProjectGradient(mlir::MLIRContext &context, const GpuProgram &program);

// Those of dW and db (WeightGradient.cpp).
mlir::OwningOpRef<mlir::ModuleOp> lowerWeightPart(mlir::MLIRContext &context, const GpuProgram &program,
                                                  const StateShape &shape);
mlir::OwningOpRef<mlir::ModuleOp> lowerBiasPart(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerSumWeight(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerSumBias(mlir::MLIRContext &context, const GpuProgram &program);

} // namespace tercet::compiler
