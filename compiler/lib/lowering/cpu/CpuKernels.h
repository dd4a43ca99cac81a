// The kernels of a CPU program, each as one tkern.kernel. The argument blocks they expect are listed with each builder
// in slot order; CpuPlan.cpp fills them. Notation and layouts as in tercet/Builtins.h.
//
// State layouts, all f32: h [g][slice][chunk][TN][featureChunk * valueSlice], z [g][TN][featureDim], their sums over a
// row's set H [gr][slice][chunk][I][featureChunk * valueSlice], Z [gr][I][featureDim] for the I query blocks of a pass (a global state: one row per g).
#pragma once

#include "CpuSchedule.h"
#include "Gradient.h"

#include "mlir/IR/BuiltinOps.h"

#include <numbers>

namespace tercet::compiler {

using std::numbers::log2e;

/// "scores", called by the select builtins where scores are pooled or sampled: rows, tiles of 64 columns, out, number of
/// rows, of tiles, scale.
void buildScores(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "block_rules", items (query block, gr): rules [gr][TM][TN] of RuleBits, qLengths, kLengths, headsKV, headsPerKV, tokensQ,
/// tokensK, firstPair, blocksQ, blocksK; where queries and keys are (BlockTokens); what the regions of selection take from
/// outside (CpuPairScope); ranges of the mask's tables (TableRanges).
void buildBlockRules(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "state", items (key block, g): k, kStrideB, kStrideH, kStrideN, kLengths, headsKV, tokensK, firstPair, packedV,
/// tilesPerPair, h, z, blocksK, slices of the pass, first slice, used (null: every pair); where keys are (BlockTokens).
void buildState(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "aggregate" (chunks of h; items (chunk, slice, gr)) and "aggregate_z" (rows of z; items (0, 0, gr)): source,
/// destination, lists, counts, patterns, used, kLengths, headsKV, headsPerKV, tokensK, firstPair, blocksQ, blocksK, slices,
/// rows of the pass, first row, subset. Rows with an empty set are not written.
void buildAggregate(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "linear", items (row of the pass, gr): q, qStrideB, qStrideH, qStrideN, qLengths, headsKV, headsPerKV, tokensQ,
/// firstPair, H, Z, out [gr][TM * blockQ][valueDim], blocksQ, rows of the pass, first row, slices of the pass, first slice, eps, counts; where queries
/// are (BlockTokens).
/// Rows with an empty set are not written.
void buildLinear(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// The kernel of an attend stage, items (super row, gr): the exact branch with its block means, and in the epilogue the
/// projected linear branch and what earlier stages kept. Slots in AttendBuilder.h, structs AttendSlots and StageSlots.
void buildAttend(mlir::ModuleOp module, const Program &program, const AttendStage &stage, const CpuSchedule &schedule);

/// The kernel of a pass of the backward, items (super row, gr where rows are queries, g where they are keys). Slots in
/// GradientBuilder.h, struct GradientSlots.
void buildGradient(mlir::ModuleOp module, const Program &program, const GradientPass &pass,
                   const CpuSchedule &schedule);

} // namespace tercet::compiler
