// The select stages of a GPU program, in the order of their launches:
//
//   block_rules                             what a mask and block sets say of pairs of blocks
//   pool_queries, center_keys, alike_keys   block means of queries, keys without their mean, likeness of tokens
//   sampled_scores                          scores from anti-diagonals
//   score_k, seen_pools, compressed_scores  pools of keys, which of them queries see, and scores by them
//   select                                  scope row: classes of rows
//   share_rows, select                      scope group: shares of rows, classes by their means over heads
//   rank_rows, count_keys, classify_rows    wider scopes: keys of rows, passes that count them, classes by the cuts
//   given_classes                           classes handed in, or by a pattern
//   row_lists                               of query blocks of fewer than 16 rows: the lists of 64 rows each, from bits of classes
//
// Under scope all_heads what comes before classify_rows runs once, for all pairs, since a group may hold a part of the heads.
#pragma once

#include "SelectArguments.h"

namespace tercet::compiler {

/// superRows: attend takes lists of super rows, which kernels that write lists join.
void addSelectStages(std::vector<GpuStage> &stages, mlir::MLIRContext &context, const GpuProgram &program,
                     bool superRows);

/// Buffers of selection.
void addSelectBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program);

mlir::OwningOpRef<mlir::ModuleOp> lowerPoolQueries(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerPoolKeys(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerCenterKeys(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerAlikeKeys(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerSampledScores(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerSeenPools(mlir::MLIRContext &context, const GpuProgram &program);
/// Queries of a block of threads of seen_pools.
inline constexpr int64_t seenQueries = 32;
mlir::OwningOpRef<mlir::ModuleOp> lowerCompressedScores(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerSelect(mlir::MLIRContext &context, const GpuProgram &program, bool superRows);
mlir::OwningOpRef<mlir::ModuleOp> lowerShareRows(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerRankRows(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerCountKeys(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerClassifyRows(mlir::MLIRContext &context, const GpuProgram &program,
                                                    bool superRows);
mlir::OwningOpRef<mlir::ModuleOp> lowerRowLists(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerGivenClasses(mlir::MLIRContext &context, const GpuProgram &program,
                                                    bool superRows);

} // namespace tercet::compiler
