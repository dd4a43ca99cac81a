// GpuKernelBuilder: writes one tkern.kernel. Every value is built with a name, which survives as its location: printed
// IR and CUDA use it. Constants of one value and name are built once, in the kernel's entry block.
#pragma once

#include "tercet/compiler/cuda/GpuLowering.h"

#include "llvm/ADT/MapVector.h"

namespace tercet::compiler {

/// Where a head of a group stands: head gr = g * R + r of the group is query head r of pair G0 + g.
struct HeadPlace {
  mlir::Value group, batch, keyHead, head;
  mlir::Value headsPerKeyHead;
};

/// The base and the strides in elements of a tensor argument.
struct StridedTensor {
  mlir::Value base, batchStride, headStride, rowStride;
};

/// The MLIR type of a program's dtype: that of q, k, v and their gradients.
mlir::Type elementType(mlir::MLIRContext &context, const GpuProgram &program);

class GpuKernelBuilder {
public:
  /// items: names of the three work item indices.
  GpuKernelBuilder(mlir::ModuleOp module, llvm::StringRef kernelName, llvm::ArrayRef<llvm::StringRef> items);

  /// Adds an argument to the argument block. symbol: what it binds to at launch (Plan.h).
  mlir::Value argument(mlir::Type type, llvm::StringRef name, llvm::StringRef symbol);
  mlir::Value pointer(mlir::Type element, llvm::StringRef name, llvm::StringRef symbol);
  mlir::Value size(llvm::StringRef name, llvm::StringRef symbol) {
    return argument(builder.getIndexType(), name, symbol);
  }
  mlir::Value number(llvm::StringRef name, llvm::StringRef symbol) {
    return argument(builder.getF64Type(), name, symbol);
  }
  /// Work item index 0, 1 or 2.
  mlir::Value item(unsigned index) { return kernel.getBody().getArgument(index); }

  /// The op's results get the name.
  template <typename Op, typename... Args> Op make(llvm::StringRef name, Args &&...args) {
    return builder.create<Op>(at(name), std::forward<Args>(args)...);
  }

  /// A constant; without a name it is printed where it is used.
  mlir::Value constant(int64_t value, llvm::StringRef name = "");
  mlir::Value constant(float value, llvm::StringRef name = "");
  mlir::Value constant(double value, llvm::StringRef name = "");
  mlir::Value add(llvm::StringRef name, mlir::Value a, mlir::Value b);
  mlir::Value sub(llvm::StringRef name, mlir::Value a, mlir::Value b);
  mlir::Value mul(llvm::StringRef name, mlir::Value a, mlir::Value b);
  /// Of numbers below 2^32.
  mlir::Value quotient(llvm::StringRef name, mlir::Value a, mlir::Value b);
  mlir::Value remainder(llvm::StringRef name, mlir::Value a, mlir::Value b);

  /// The place of head `member`; adds the sizes that it takes as arguments.
  HeadPlace placeHead(mlir::Value member);

  /// Tensor `symbol` with its strides, as arguments.
  StridedTensor tensor(mlir::Type element, llvm::StringRef name, llvm::StringRef symbol);
  /// The rows of one head of it: a view [rows, cols].
  mlir::Value rowsOf(llvm::StringRef name, const StridedTensor &tensor, mlir::Value batch, mlir::Value head,
                     int64_t cols);
  /// Rows of a workspace buffer, which lie one after another, from row `first` on: a view [rows, cols].
  mlir::Value rowsFrom(llvm::StringRef name, mlir::Value base, mlir::Value first, int64_t cols);
  /// Rows of a pair in one of the planes of a buffer: [plane][pair of the group][rows of a pair][cols]; `pairs` of the group, null where
  /// there is one plane.
  mlir::Value planeRows(llvm::StringRef name, mlir::Value base, int64_t plane, mlir::Value pair, mlir::Value pairs,
                        mlir::Value rowsOfPair, int64_t cols);
  /// Rows of f32 in a buffer, from row `row` on: a view [rows, cols].
  mlir::Value bufferRows(llvm::StringRef name, const std::string &buffer, mlir::Value row, int64_t cols);
  /// Of an entry of a list whose blocks or steps a mask may cut: their number, and whether it does (partial_entry of the device library).
  mlir::Value entryNumber(llvm::StringRef name, mlir::Value entry);
  mlir::Value entryIsPartial(llvm::StringRef name, mlir::Value entry);
  /// How many pools of `size` so many tokens make.
  mlir::Value pooled(llvm::StringRef name, mlir::Value count, int64_t size);
  /// How many of `tokens` are live in a batch; lengths: of batches, or null.
  mlir::Value liveTokens(llvm::StringRef name, mlir::Value lengths, mlir::Value batch, mlir::Value tokens);

  /// How many places from `first` on are tokens, in the block of `block` places that it is in; may be none, or less. counts: the tokens of
  /// blocks, as a token order clips them, of a batch entry from firstCount on.
  mlir::Value tokensLeft(mlir::Value counts, mlir::Value firstCount, int64_t block, mlir::Value first);

  /// Tiles in shared memory at a byte offset, filled by copies of all threads.
  mlir::Value ring(llvm::StringRef name, tkern::RingType type, int64_t offset);
  void fill(mlir::Value ring, mlir::Value step, mlir::Value source, mlir::Value row, mlir::Value rows);
  mlir::Value wait(llvm::StringRef name, mlir::Value ring, mlir::Value step, int64_t later);
  /// A tile that changes, in registers.
  mlir::Value registers(llvm::StringRef name, int64_t rows, int64_t cols, float start);

  /// A function of the device library without a result; see tkern.call. shared: it takes the block's shared memory.
  void call(llvm::StringRef callee, llvm::StringRef header, llvm::ArrayRef<mlir::Attribute> constants,
            mlir::ValueRange inputs, bool shared = false);
  /// One with a result.
  mlir::Value compute(llvm::StringRef name, mlir::Type result, llvm::StringRef callee, llvm::StringRef header,
                      llvm::ArrayRef<mlir::Attribute> constants, mlir::ValueRange inputs);
  /// Template arguments of a call.
  mlir::Attribute integer(int64_t value) { return builder.getI64IntegerAttr(value); }
  mlir::Attribute flag(bool value) { return builder.getBoolAttr(value); }

  /// An element-wise op over tiles: `body` gets one f32 per input.
  mlir::Value map(llvm::StringRef name, tkern::TileType type, mlir::ValueRange inputs,
                  llvm::ArrayRef<llvm::StringRef> elements, llvm::function_ref<mlir::Value(mlir::ValueRange)> body);

  /// The same where `body` gets an element, its row and its column, of a tile that stands at `row`, `col`.
  mlir::Value mapPairs(llvm::StringRef name, mlir::Value tile, mlir::Value row, mlir::Value col,
                       llvm::function_ref<mlir::Value(mlir::ValueRange)> body);

  /// `for j in [0, count)`; body runs with the builder inside the loop.
  void loop(llvm::StringRef name, mlir::Value count, llvm::function_ref<void(mlir::Value)> body);

  /// The same with a number that rounds hand on: `body` gets it, and makes that of the next round.
  /// The last one is the result.
  mlir::Value loopFrom(llvm::StringRef name, mlir::Value count, llvm::StringRef carried, mlir::Value start,
                       llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> body);

  mlir::Type tile(int64_t rows, int64_t cols);
  tkern::ViewType view(int64_t rows, int64_t cols, mlir::Type element, int64_t stride, tkern::Space space,
                       tkern::Layout layout = tkern::Layout::Rows);

  /// One of two tiles, each made inside its branch.
  mlir::Value choose(llvm::StringRef name, mlir::Value condition, llvm::function_ref<mlir::Value()> whenTrue,
                     llvm::function_ref<mlir::Value()> whenFalse);

  /// Each body runs with the builder inside its branch.
  void when(mlir::Value condition, llvm::function_ref<void()> body, llvm::function_ref<void()> otherwise = {});

  /// Ends the kernel and gives it its arguments' symbols and its dynamic shared memory.
  tkern::KernelOp finish(int64_t sharedBytes);

  mlir::OpBuilder builder;
  tkern::KernelOp kernel;

  /// Where a name is kept.
  mlir::Location at(llvm::StringRef name);

private:
  mlir::Value constant(mlir::TypedAttr value, llvm::StringRef name);

  llvm::SmallVector<mlir::Attribute> symbols;
  llvm::MapVector<std::pair<mlir::Attribute, mlir::Attribute>, mlir::Value> constants;
};

} // namespace tercet::compiler
