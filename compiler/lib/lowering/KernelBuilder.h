// KernelBuilder: writes tkern kernels in the words of the algorithm. Index arithmetic folds as it is written.
#pragma once

#include "tercet/Tensor.h"
#include "tercet/dialect/TkernDialect.h"

#include <functional>

namespace tercet::compiler {

using mlir::Type;
using mlir::Value;
using mlir::ValueRange;

class KernelBuilder {
public:
  /// Opens `tkern.kernel @name` at the end of the module; item indices come first, then the arguments in slot order.
  KernelBuilder(mlir::ModuleOp module, llvm::StringRef name);

  Value item(unsigned dimension) { return items[dimension]; }
  Value pointer(DType dtype) { return pointer(elementType(dtype)); }
  Value pointer(Type elementType) { return argument(tkern::PointerType::get(elementType.getContext(), elementType)); }
  Value integer() { return argument(builder.getIndexType()); }
  /// A scalar slot, rounded to f32, and as it comes (f64).
  Value scalar();
  Value wideScalar() { return argument(builder.getF64Type()); }

  Value index(int64_t value);
  Value real(double value);
  Value add(Value a, Value b) { return fold<mlir::arith::AddIOp>(a, b); }
  Value sub(Value a, Value b) { return fold<mlir::arith::SubIOp>(a, b); }
  Value mul(Value a, Value b) { return fold<mlir::arith::MulIOp>(a, b); }
  Value div(Value a, Value b) { return fold<mlir::arith::DivSIOp>(a, b); }
  Value rem(Value a, Value b) { return fold<mlir::arith::RemSIOp>(a, b); }
  Value min(Value a, Value b) { return fold<mlir::arith::MinSIOp>(a, b); }
  Value max(Value a, Value b) { return fold<mlir::arith::MaxSIOp>(a, b); }
  Value bitAnd(Value a, Value b) { return fold<mlir::arith::AndIOp>(a, b); }
  Value bitOr(Value a, Value b) { return fold<mlir::arith::OrIOp>(a, b); }
  Value shiftRight(Value a, Value b) { return fold<mlir::arith::ShRUIOp>(a, b); }
  Value add(Value a, int64_t b) { return add(a, index(b)); }
  Value mul(Value a, int64_t b) { return mul(a, index(b)); }
  Value ceilDiv(Value a, int64_t b) { return div(add(a, b - 1), index(b)); }
  Value roundUp(Value a, int64_t b) { return mul(ceilDiv(a, b), b); }
  /// An index as regions over pairs compute with it: i32.
  Value narrow(Value index) { return builder.createOrFold<mlir::arith::IndexCastOp>(loc, builder.getI32Type(), index); }
  Value mulf(Value a, Value b) { return fold<mlir::arith::MulFOp>(a, b); }
  Value addf(Value a, Value b) { return fold<mlir::arith::AddFOp>(a, b); }
  Value less(Value a, Value b) { return compare(mlir::arith::CmpIPredicate::slt, a, b); }
  Value equal(Value a, Value b) { return compare(mlir::arith::CmpIPredicate::eq, a, b); }
  Value notEqual(Value a, Value b) { return compare(mlir::arith::CmpIPredicate::ne, a, b); }
  Value negate(Value flag) {
    return builder.createOrFold<mlir::arith::XOrIOp>(loc, flag, builder.create<mlir::arith::ConstantIntOp>(loc, 1, 1));
  }
  Value select(Value condition, Value a, Value b) {
    return builder.create<mlir::arith::SelectOp>(loc, condition, a, b);
  }

  /// for (i = from; i < to; i += step) body(i)
  void loop(Value from, Value to, int64_t step, llvm::function_ref<void(Value)> body);
  /// The same with values carried from one iteration to the next.
  mlir::SmallVector<Value> loop(Value from, Value to, int64_t step, ValueRange carried,
                                llvm::function_ref<mlir::SmallVector<Value>(Value, ValueRange)> body);
  void when(Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise = {});
  /// The value, of type `type`, of one branch or the other.
  Value choose(Type type, Value condition, llvm::function_ref<Value()> then, llvm::function_ref<Value()> otherwise);

  Value scratch(int64_t rows, int64_t cols);
  /// Memory behind a pointer from an element offset; a null stride means rows are `cols` apart.
  Value view(Value pointer, Value offset, int64_t cols, Value stride = {});
  Value subview(Value view, Value row, Value col = {});
  /// The first rows and columns of a view, and no more.
  Value window(Value view, int64_t rows, int64_t cols);
  Value selectView(Value condition, Value whenTrue, Value whenFalse) {
    return builder.create<tkern::SelectViewOp>(loc, whenTrue.getType(), condition, whenTrue, whenFalse);
  }
  Value read(Value pointer, Value index);
  void write(Value value, Value pointer, Value index) { builder.create<tkern::WriteOp>(loc, value, pointer, index); }
  /// lengths[batch] where lengths are given, else `tokens`.
  Value tokenCount(Value lengths, Value batch, Value tokens);
  Value isNull(Value pointer) { return builder.create<tkern::IsNullOp>(loc, builder.getI1Type(), pointer); }

  Value load(Value view, Value row, int64_t tileRows, int64_t tileCols, Value col = {}, Value rows = {},
             Value cols = {}, Value otherwise = {});
  void store(Value tile, Value view, Value row, Value col = {}, Value rows = {}, Value cols = {});
  Value splat(Value value, int64_t rows, int64_t cols);
  /// A single row, repeated.
  Value repeatRows(Value row, int64_t rows);
  /// wide * factor, rounded once to f32.
  Value scaled(Value wide, double factor);
  /// Products; each may bring `elements` of another view near for a later one.
  Value matmul(Value a, Value b, Value init, int64_t depth, bool transposed = false, Value ahead = {},
               int64_t elements = 0);
  void accumulate(Value p, Value b, Value acc, Value ahead = {}, int64_t elements = 0);
  Value reduce(tkern::ReduceKind kind, Value tile);
  Value any(Value tile) { return builder.create<tkern::AnyOp>(loc, builder.getI1Type(), tile); }
  /// Element-wise: the body gets one f32 per input and returns the element; the result has the widest input's shape.
  Value map(ValueRange inputs, llvm::function_ref<Value(mlir::OpBuilder &, mlir::Location, ValueRange)> body);
  /// Element by element; one of the two may be a row or a column.
  Value tileSum(Value a, Value b) { return combine<mlir::arith::AddFOp>(a, b); }
  Value tileDifference(Value a, Value b) { return combine<mlir::arith::SubFOp>(a, b); }
  Value tileProduct(Value a, Value b) { return combine<mlir::arith::MulFOp>(a, b); }
  Value tileQuotient(Value a, Value b) { return combine<mlir::arith::DivFOp>(a, b); }
  /// Rows from `from` to before `to` of a view become 0: `width` columns, or the first `cols` of these.
  void clearRows(Value view, Value from, Value to, int64_t width, Value cols = {}) {
    loop(from, to, 1, [&](Value row) { store(splat(real(0), 1, width), view, row, {}, {}, cols); });
  }
  /// The first `count` rows of a view to another.
  void copyRows(Value from, Value to, Value count, int64_t width) {
    loop(index(0), count, 1, [&](Value row) { store(load(from, row, 1, width), to, row); });
  }
  /// Element-wise with positions, which are those of the tile's first element and count up: the body gets element, row
  /// and column position (i32), and one f32 per further input.
  Value mapPairs(Value tile, Value row, Value col, ValueRange inputs,
                 llvm::function_ref<Value(mlir::OpBuilder &, mlir::Location, ValueRange)> body);
  /// One step of the online softmax; `threshold`: by how much a score may exceed max before it is moved (log2 units).
  Value softmaxStep(Value scores, Value max, Value sum, Value acc, float threshold);
  void softmaxInPlace(Value scores, Value max, Value sum, Value acc, float threshold);

  void end();
  tkern::KernelOp kernel() { return op; }
  Type elementType(DType dtype);
  mlir::OpBuilder &raw() { return builder; }
  mlir::Location location() { return loc; }

private:
  template <typename Op> Value combine(Value a, Value b) {
    return map({a, b}, [](mlir::OpBuilder &body, mlir::Location at, ValueRange v) -> Value {
      return body.create<Op>(at, v[0], v[1]);
    });
  }
  template <typename Op> Value fold(Value a, Value b) { return builder.createOrFold<Op>(loc, a, b); }
  Value compare(mlir::arith::CmpIPredicate predicate, Value a, Value b) {
    return builder.createOrFold<mlir::arith::CmpIOp>(loc, predicate, a, b);
  }
  Value argument(Type type);
  mlir::OpBuilder builder;
  mlir::Location loc;
  tkern::KernelOp op;
  mlir::SmallVector<Value> items;
};

} // namespace tercet::compiler
