// StageKernel: a kernel around one function of the device library: its arguments and constants come from the program,
// its logic lies in compiler/device.
#pragma once

#include "GpuKernelBuilder.h"

namespace tercet::compiler {

class StageKernel {
public:
  StageKernel(mlir::MLIRContext &context, const GpuProgram &program, llvm::StringRef name,
              llvm::ArrayRef<llvm::StringRef> items, int64_t threads);

  /// Base and strides of a tensor argument, appended to `inputs`.
  void addTensor(mlir::SmallVectorImpl<mlir::Value> &inputs, llvm::StringRef name, int strides);
  /// The stride of a tensor along its last axis; 0 where that has one entry, which serves every index.
  mlir::Value lastStride(const std::string &name, int axis);
  /// A runtime parameter as f64, or a constant where the spec has none.
  mlir::Value amount(llvm::StringRef name, const std::string &parameter, double otherwise);
  /// The same as an integer.
  mlir::Value whole(llvm::StringRef name, const std::string &parameter, int64_t otherwise);
  mlir::Type element();
  mlir::Attribute elementAttribute() { return mlir::TypeAttr::get(element()); }
  mlir::Attribute integer(int64_t value) { return b.integer(value); }
  /// Template arguments of a function that counts the tokens of blocks: under a token order also TILES.
  llvm::SmallVector<mlir::Attribute> ordered(llvm::ArrayRef<mlir::Attribute> constants);

  /// Ends the kernel and checks it.
  mlir::OwningOpRef<mlir::ModuleOp> finish(int64_t sharedBytes);

private:
  mlir::OwningOpRef<mlir::ModuleOp> module;

public:
  GpuKernelBuilder b;
  const GpuProgram &program;
};

/// Threads of a block of every stage but select (a warp per row) and aggregate.
inline constexpr int64_t stageThreads = 128;

/// Sizes of a kernel that makes products of `rows`^T and `values`, whose columns these are, over blocks of tokens: value columns
/// of a block of threads, tokens of a part, and shared memory. Numbers are key_states_bytes' of the device library.
struct StateShape {
  StateShape(const GpuProgram &program, const CudaTarget &target); ///< of states of key blocks
  StateShape(int64_t rows, int64_t values, int64_t block, bool isWide, const CudaTarget &target);
  int64_t valueCols, partTokens, sharedBytes;
};

/// What a mask and block sets say of every pair of blocks, a byte each (row_blocks.cuh); a thread per pair.
mlir::OwningOpRef<mlir::ModuleOp> lowerBlockRules(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerWeight(mlir::MLIRContext &context, const GpuProgram &program);
/// W transposed, as @weight_t.
mlir::OwningOpRef<mlir::ModuleOp> lowerTransposedWeight(mlir::MLIRContext &context, const GpuProgram &program);
mlir::OwningOpRef<mlir::ModuleOp> lowerPrologue(mlir::MLIRContext &context, const GpuProgram &program,
                                                const StateShape &shape);
mlir::OwningOpRef<mlir::ModuleOp> lowerAggregate(mlir::MLIRContext &context, const GpuProgram &program);
/// The same in a backward for key blocks, of the states of query blocks.
mlir::OwningOpRef<mlir::ModuleOp> lowerAggregateKeys(mlir::MLIRContext &context, const GpuProgram &program);

/// An attribute as IR prints it.
std::string textOf(mlir::Attribute attribute);

/// The stage that sums states: for each of `rows` blocks of each of `lines` heads or pairs of a group, of so many `states`.
GpuStage makeSums(std::string kernel, const GpuProgram &program, const Expr &rows, const Expr &lines,
                  const Expr &states, std::function<mlir::OwningOpRef<mlir::ModuleOp>()> lower);

/// A stage with one form.
GpuStage makeStage(std::string kernel, std::string stage, std::array<Expr, 3> grid, std::string schedule,
                   std::function<mlir::OwningOpRef<mlir::ModuleOp>()> lower);

} // namespace tercet::compiler
