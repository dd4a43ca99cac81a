// The kernels that pool tokens for an attend stage and for scores, and where their pools lie.
#pragma once

#include "tercet/compiler/cuda/GpuLowering.h"

namespace tercet::compiler {

/// Nothing for a stage without pools.
void addPoolStages(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                   const AttendStage &stage);
void addPoolBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program, const AttendStage &stage);

/// The kernel that pools the keys by which selection scores, over `pairs`; and its buffer.
GpuStage makeScorePools(mlir::MLIRContext &context, const GpuProgram &program, const Expr &pairs);
PlanBuffer scorePoolBuffer(const GpuProgram &program, const Expr &pairs);

} // namespace tercet::compiler
