// GpuKernelBuilder: writes one tkern.kernel. Every value is built with a name, which survives as its location: printed
// IR and CUDA use it. Constants of one value and name are built once, in the kernel's entry block.
#pragma once

#include "tercet/compiler/cuda/GpuLowering.h"

#include "llvm/ADT/MapVector.h"

namespace tercet::compiler {

class GpuKernelBuilder {
public:
  GpuKernelBuilder(mlir::ModuleOp module, llvm::StringRef kernelName, tkern::GpuScheduleAttr schedule);

  /// Adds an argument to the argument block. symbol: what it binds to at launch (Plan.h).
  mlir::Value argument(mlir::Type type, llvm::StringRef name, llvm::StringRef symbol);
  /// Work item index 0, 1 or 2.
  mlir::Value item(unsigned index) { return kernel.getBody().getArgument(index); }

  /// The op's results get the name.
  template <typename Op, typename... Args> Op make(llvm::StringRef name, Args &&...args) {
    return builder.create<Op>(at(name), std::forward<Args>(args)...);
  }

  /// A constant; without a name it is printed where it is used.
  mlir::Value constant(int64_t value, llvm::StringRef name = "");
  mlir::Value constant(float value, llvm::StringRef name = "");
  mlir::Value add(llvm::StringRef name, mlir::Value a, mlir::Value b);
  mlir::Value sub(llvm::StringRef name, mlir::Value a, mlir::Value b);
  mlir::Value mul(llvm::StringRef name, mlir::Value a, mlir::Value b);

  /// An element-wise op over tiles: `body` gets one f32 per input.
  mlir::Value map(llvm::StringRef name, tkern::TileType type, mlir::ValueRange inputs,
                  llvm::ArrayRef<llvm::StringRef> elements, llvm::function_ref<mlir::Value(mlir::ValueRange)> body);

  /// `for j in [0, count)`; body runs with the builder inside the loop.
  void loop(llvm::StringRef name, mlir::Value count, llvm::function_ref<void(mlir::Value)> body);

  mlir::Type tile(int64_t rows, int64_t cols);
  tkern::ViewType view(int64_t rows, int64_t cols, mlir::Type element, int64_t stride, tkern::Space space,
                       tkern::Layout layout = tkern::Layout::Rows);

  /// Ends the kernel and gives it its arguments' symbols.
  tkern::KernelOp finish();

  mlir::OpBuilder builder;

private:
  mlir::Location at(llvm::StringRef name);
  mlir::Value constant(mlir::TypedAttr value, llvm::StringRef name);

  tkern::KernelOp kernel;
  llvm::SmallVector<mlir::Attribute> symbols;
  llvm::MapVector<std::pair<mlir::Attribute, mlir::Attribute>, mlir::Value> constants;
};

} // namespace tercet::compiler
