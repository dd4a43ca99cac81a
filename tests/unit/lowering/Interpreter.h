// Interpreter: evaluates straight-line arith ops, for tests of code that was built. Values of type index are 32 bits wide
// in regions over pairs and 64 in kernels; i32 has the meaning of docs/spec.md#regions in both.
#pragma once

#include "tercet/dialect/TercetDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/DenseMap.h"

#include <functional>

namespace tercet::test {

/// An integer (an i1 is 0 or 1) or a float, by the type of the value that it stands for.
struct Number {
  int64_t integer = 0;
  float real = 0;
};

class Interpreter {
public:
  enum class IndexWidth { region, kernel };
  explicit Interpreter(IndexWidth width) : width(width) {}

  /// What an op of another dialect than arith and math gives.
  std::function<Number(mlir::Operation &, llvm::ArrayRef<Number>)> other;

  void set(mlir::Value value, Number number) { values[value] = number; }
  Number get(mlir::Value value) const { return values.lookup(value); }
  /// Evaluates the ops of a block, but for its terminator.
  void run(mlir::Block &block);

private:
  Number evaluate(mlir::Operation &op);
  int64_t integerOp(mlir::Operation &op, int64_t x, int64_t y);
  float floatOp(mlir::Operation &op, float x, float y);

  IndexWidth width;
  llvm::DenseMap<mlir::Value, Number> values;
};

} // namespace tercet::test
