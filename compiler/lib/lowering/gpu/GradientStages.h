// The stages of a backward over a group of (batch, KV head) pairs:
//
//   prologue   <table>_ranges<axis>   least and largest entries of blocks of tables that a mask reads; once per call
//              gradient_rows      shifts and sums of query rows
//              prologue           block means of K and V as operands
//   select     block_rules        which blocks the mask cuts
//              given_classes      the forward's classes: lists of key blocks by query block
//              transposed_lists   and of query blocks by key block; of both also those of super rows, where passes take them
//              of a linear branch (LinearGradient.h)
//              items              of key blocks: longest first, long ones in parts (GradientItems.h)
//   gradient   a kernel per pass  (Gradient.h), or two for keys whose accumulators no thread holds together; sums of parts
//
// Those of branches: BranchGradient.h.
#pragma once

#include "tercet/compiler/cuda/GpuLowering.h"

namespace tercet::compiler {

void addGradientStages(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                       const CudaTarget &target, std::vector<std::string> &remarks);

/// From head to head in what belongs to queries, of which there are `rows`; where they are no pools the symbol "padded.q" of kernels.
Expr paddedQueries(const Expr &rows);

/// The buffers between them.
void addGradientBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program);

} // namespace tercet::compiler
