// A stage of block means by means of query blocks: no attend kernel, but one with a row per warp, on f32 units (decision 17).
//
//   prologue   <stage>_q                     block means of queries
//   attend     <stage>                       what the stage behind it goes on from
//
// and of its gradients, the rows of query blocks as one each, from what the passes of tokens take of their rows:
//
//   prologue   mean_rows_<stage>             dO, D and shifts of query blocks
//   gradient   a kernel per pass             by means of queries, and of keys and values, for spread_<stage>_<x>
#pragma once

#include "tercet/compiler/cuda/GpuLowering.h"

namespace tercet::compiler {

void addMeanStages(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                   const AttendStage &stage);
void addMeanBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program, const AttendStage &stage);

/// pass: one of a stage of means.
void addMeanGradient(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                     const GradientPass &pass);

} // namespace tercet::compiler
