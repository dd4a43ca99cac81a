// What kernels of tables whose warps have a row or an entry each are written with.
#pragma once

#include "StageKernel.h"

namespace tercet::compiler {

inline constexpr int64_t lanes = 32;

inline mlir::Value isThere(GpuKernelBuilder &b, mlir::Value pointer) {
  mlir::Value absent = b.make<tkern::IsNullOp>("absent", b.builder.getI1Type(), pointer);
  return b.make<mlir::arith::XOrIOp>("wanted", absent,
                                     b.make<mlir::arith::ConstantOp>("", b.builder.getBoolAttr(true)));
}

inline mlir::Value isBelow(GpuKernelBuilder &b, llvm::StringRef name, mlir::Value x, mlir::Value y) {
  return b.make<mlir::arith::CmpIOp>(name, mlir::arith::CmpIPredicate::slt, x, y);
}

inline mlir::Value both(GpuKernelBuilder &b, llvm::StringRef name, mlir::Value x, mlir::Value y) {
  return b.make<mlir::arith::AndIOp>(name, x, y);
}

/// The row of a warp, or the entry.
inline mlir::Value numberOfWarp(GpuKernelBuilder &b, llvm::StringRef name) {
  mlir::Value warp = b.compute("warp_of_block", b.builder.getIndexType(), "warp_worker", "thread", {}, {});
  return b.add(name, b.mul("first_number", b.item(0), b.constant(stageThreads / lanes)), warp);
}

inline mlir::Value laneOf(GpuKernelBuilder &b) {
  mlir::Value thread = b.compute("thread", b.builder.getIndexType(), "thread_index", "thread", {}, {});
  return b.remainder("lane_of_warp", thread, b.constant(lanes));
}

} // namespace tercet::compiler
