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

/// "scores", called by the select builtins where scores are products: rows, tiles of 64 columns, out, number of
/// rows, of tiles, scale.
void buildScores(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "block_rules", items (query block, or run of small ones, gr): rules [gr][TM][TN] of RuleBits, qLengths, kLengths, headsKV, headsPerKV, tokensQ,
/// tokensK, firstPair, blocksQ, blocksK; where queries and keys are (BlockTokens); what the regions of selection take from
/// outside (CpuPairScope); ranges of the mask's tables (TableRanges).
void buildBlockRules(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "seen_pools", items (seenRows queries, gr): seen [gr][tokensQ][words] of compressed scores (ScoreSource), qLengths, kLengths, headsKV, headsPerKV,
/// tokensQ, tokensK, firstPair; what the region takes from outside (CpuPairScope).
void buildSeenPools(mlir::ModuleOp module, const Program &program);
inline constexpr int64_t seenRows = 64;

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

/// "gate_" and the name of a branch's stage, items (64 query places, or a pool of them, gr): do with its strides, qLengths, kLengths, headsKV,
/// headsPerKV, tokensQ, tokensK, firstPair, out [gr][rows][valueDim] f32 = dO times the gate, summed over a pool, 0 where no token is; where
/// queries and keys are (BlockTokens); what the gate takes from outside (CpuPairScope). Where the gate reads tables, O of the stage, and per share the
/// gradient (null: not wanted) and the share, by place or by place and feature.
void buildGateGradient(mlir::ModuleOp module, const Program &program, const GradientPass &pass,
                       const CpuSchedule &schedule);

/// "clear_d" and the name of a table, items (some runs along the last axis, 0): its gradient (null: not wanted), sizes and strides, runs
/// of an item.
void buildTableClear(mlir::ModuleOp module, mlir::BlockArgument table);

/// "sum_d" and the name of a table, items (some places of queries, 0): its gradient, sizes and strides; qLengths, kLengths, headsKV, headsPerKV, tokensQ, tokensK,
/// firstPair, query heads of the group, places of an item; where queries and keys are (BlockTokens); what indices take from outside (CpuPairScope); per share its
/// buffer, and rows or strips of a query head. Adds the shares of a group.
void buildTableSums(mlir::ModuleOp module, const Program &program, mlir::BlockArgument table,
                    llvm::ArrayRef<const TableShares *> shares);

/// The kernel of a pass of the backward, items (super row, gr where rows are queries, g where they are keys). Slots in
/// GradientBuilder.h, struct GradientSlots.
void buildGradient(mlir::ModuleOp module, const Program &program, const GradientPass &pass,
                   const CpuSchedule &schedule);

// The backward of the linear branch (docs/gradients.md#branches), after "state" and "aggregate" have made H_i and Z_i again. BQ and BK are
// the packed columns of the sides (GradientSide), owners of states are query heads.

/// "project_gradient", items (64 query rows, gr): do with its strides, qLengths, headsKV, headsPerKV, tokensQ, firstPair, w
/// (null: it is the identity), packed W [valueDim][valueDim padded], out [gr][N][valueDim] f32 = dO W, 0 from the length on.
void buildProjectGradient(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "mean_values", items (0, g), and "center_values", items (64 keys, g): v with its strides, kLengths, headsKV, tokensK,
/// firstPair, means [g][valueDim padded]; of the second also out [g][M][valueDim] f32 = V less its mean, 0 from the length on.
void buildCenterValues(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "linear_queries", items (query block, gr): q with its strides, LinearSides of queries, H, Z, eps, packed dO_l^T, means, inverses
/// [gr][TM * BQ] = 1 / den or 0, sums [gr][TM * BQ] = D_l of centred values, gradient [gr][TM * BQ][featureDim] = J_phi^T dphi(Q), O_l
/// [gr][TM * BQ][valueDim padded], dw (null: O_l is not wanted).
void buildLinearQueries(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "state_gradient", items (query block, gr): q with its strides, LinearSides of queries, inverses, sums, packed dO_l, dh, dz in the
/// layouts of h and z.
void buildStateGradient(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "aggregate_dh" and "aggregate_dz", as "aggregate" and "aggregate_z" with queries and keys exchanged: an owner's states are
/// summed for each of its key blocks.
void buildGradientAggregate(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "linear_keys", items (key block, g): k with its strides, LinearSides of keys, dH, dZ, packed V^T, dk [g][TN * BK][featureDim] =
/// J_phi^T dphi(K), dv [g][TN * BK][valueDim padded] = phi(K) dH.
void buildLinearKeys(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

/// "weight_gradient", items (4 rows of W, 0): packed dO, O_l, blocksQ, query heads of the group, firstPair, dw (null: not
/// wanted), its row stride, db (null: not wanted). Adds head after head, so that groups do not change the sum.
void buildWeightGradient(mlir::ModuleOp module, const Program &program, const CpuSchedule &schedule);

} // namespace tercet::compiler
