// The kernels that pool tokens for an attend stage, and where their pools lie.
#pragma once

#include "tercet/compiler/cuda/GpuLowering.h"

namespace tercet::compiler {

/// Nothing for a stage without pools.
void addPoolStages(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                   const AttendStage &stage);
void addPoolBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program, const AttendStage &stage);

} // namespace tercet::compiler
