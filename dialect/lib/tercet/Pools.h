// What the ops over pools of tokens have in common (docs/spec.md#compressed, #compressed_scores). Labels are those of the op's own rules.
#pragma once

#include "tercet/dialect/TercetDialect.h"

namespace tercet::ir {

/// Length and stride: 1 to 4096, the stride at most the length.
mlir::LogicalResult verifyPoolSizes(mlir::Operation *op, mlir::Value length, mlir::Value stride, llvm::StringRef label);
/// Absent, or an argument of type table<[kv_head, any], f32>.
bool isPoolWeights(mlir::Value weights);
/// Absent, or auto, or > 0.
mlir::LogicalResult verifyScale(mlir::Operation *op, mlir::Value scale, llvm::StringRef label);
/// Absent, or a region that gets four indices and yields one i1.
mlir::LogicalResult verifyWhere(mlir::Operation *op, mlir::Region &region, llvm::StringRef ofSignature,
                                llvm::StringRef ofOps);

} // namespace tercet::ir
