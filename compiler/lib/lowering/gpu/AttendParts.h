// AttendParts: what both forms of the dense attention kernel share: its arguments, how many rows and keys are live, the
// softmax of a step, and the epilogue. The forms (AttendWarp, AttendWarpgroup) differ in how tiles come and who
// computes.
#pragma once

#include "AttendLayout.h"
#include "GpuKernelBuilder.h"

namespace tercet::compiler {

/// The base and the strides in elements of one tensor argument.
struct TensorArgument {
  mlir::Value base; ///< a pointer, or a tensor map, which has no strides here
  mlir::Value batchStride, headStride, rowStride;
};

class AttendParts {
public:
  AttendParts(mlir::ModuleOp module, const DenseProgram &program, tkern::GpuScheduleAttr schedule);

  /// The softmax state of a worker's rows, set to zero.
  void startRows();
  /// Rows of a tensor for this block's batch and a head: a view [rows, cols].
  mlir::Value rowsOf(llvm::StringRef name, const TensorArgument &tensor, mlir::Value head, int64_t cols);
  /// From scores Q K^T of a step to probabilities; updates the state.
  mlir::Value softmax(mlir::Value scores, mlir::Value step, mlir::Value keysLeft);
  /// O = acc / sum and LSE, for the worker's rows from `row` on.
  void finishRows(mlir::Value row);

  GpuKernelBuilder b;
  const DenseProgram &program;
  tkern::GpuScheduleAttr schedule;
  AttendLayout layout;
  bool boxes; ///< q, k, v come as tensor maps

  TensorArgument q, k, v, o, lse;
  mlir::Value keyHead;            ///< the head of K and V that this block's query head reads
  mlir::Value liveRows, liveKeys; ///< query rows and keys of this batch
  mlir::Value blockRow;           ///< first query row of the block
  mlir::Value steps;              ///< tiles of keys
  mlir::Value keysPerStep;        ///< the constant
  mlir::Value max, sum, acc;      ///< the softmax state

private:
  TensorArgument tensor(llvm::StringRef name, mlir::Type element, int64_t boxRows);
  mlir::Value liveCount(llvm::StringRef name, mlir::Value lengths, mlir::Value size);
  mlir::Value scoreScale();
  mlir::Value zeroed(llvm::StringRef name, int64_t cols);

  mlir::Value scale, scoreUnit; ///< the parameter; from scores to log2 units
};

/// The kernel @attend in a new module: warps that share rings of thread copies.
void buildAttendWarp(AttendParts &parts);
/// The same with roles: one thread starts box copies, warpgroups compute.
void buildAttendWarpgroup(AttendParts &parts);

} // namespace tercet::compiler
