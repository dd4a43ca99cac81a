// Gradients of tables that weight pools, in a backward for GPUs:
//
//   gradient   <stage>_dk_weights      shares of pairs, behind the pass over a stage's pools
//              sum_<stage>_dk_weights  the gradient; behind the groups
#pragma once

#include "StageKernel.h"

namespace tercet::compiler {

/// Names of tables; one may be there twice.
std::vector<std::string> weightTables(const GpuProgram &program);
void addPoolWeightBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program);
void addPoolWeightShares(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                         const GradientPass &pass);
void addPoolWeightSums(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program);

} // namespace tercet::compiler
