// KernelLowering: one tkern.kernel to one llvm.func over vectors of the target's width. A tile becomes the vectors of
// its rows, a view an address with a stride; index becomes i64; scf stays and is lowered by MLIR's own passes
// afterwards.
//
// The function's type is tercet::CpuFunction: (slots, item0, item1, item2, scratch).
#pragma once

#include "CpuTarget.h"

#include "tercet/dialect/TkernDialect.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/DenseMap.h"

namespace tercet::codegen {

using mlir::Type;
using mlir::Value;
using Vectors = mlir::SmallVector<Value, 16>;

/// Where a view lies: address of its first element and the row stride in elements (i64).
struct Address {
  Value base, stride;
};

class KernelLowering {
public:
  KernelLowering(const CpuTarget &target, mlir::OpBuilder &builder)
      : target(target), b(builder), loc(builder.getUnknownLoc()) {}

  /// Emits the function at the builder's insertion point and returns the scratch bytes that an item needs.
  mlir::FailureOr<int64_t> lower(tkern::KernelOp kernel);

private:
  // KernelLowering.cpp: functions, control flow, scalars.
  mlir::LogicalResult lowerBlock(mlir::Block &block);
  mlir::LogicalResult lowerOp(mlir::Operation *op);
  mlir::LogicalResult lowerFor(mlir::scf::ForOp op);
  mlir::LogicalResult lowerIf(mlir::scf::IfOp op);
  void cloneScalar(mlir::Operation *op);
  Value resized(Value in, Type to, bool isSigned);
  Type scalarType(Type type);
  Vectors flatten(mlir::ValueRange values);
  void bind(mlir::ValueRange values, mlir::ArrayRef<Value> flat);

  // MemoryLowering.cpp
  void lower(tkern::ScratchOp op);
  void lower(tkern::ViewOp op);
  void lower(tkern::SubviewOp op);
  void lower(tkern::SelectViewOp op);
  void lower(tkern::IsNullOp op);
  void lower(tkern::ReadOp op);
  void lower(tkern::WriteOp op);
  void lower(tkern::LoadOp op);
  void lower(tkern::StoreOp op);
  Value allocate(int64_t bytes);
  Value element(Value base, Value index, Type type);
  Value at(const Address &address, int64_t row, int64_t col, Type type);
  Value loadVector(Value address, Type type, int64_t lanes, Value mask = {}, Value otherwise = {});
  void storeVector(Value vector, Value address, Type type, Value mask = {});
  Value columnMask(Value cols, int64_t col, int64_t lanes);
  Address offset(const Address &address, Value row, Value col, Type type);

  // ConversionLowering.cpp: 16-bit floats
  Value widen(Value raw, Type type);
  Value narrow(Value vector, Type type);
  Value widenHalf(Value bits);
  Value narrowHalf(Value vector);

  // ProductLowering.cpp
  void lower(tkern::MatmulOp op);
  void lower(tkern::AccumulateOp op);
  /// Memory to bring near while a product runs: `perStep` elements in every step, from `from` on. Null: nothing.
  struct Ahead {
    Value from;
    int64_t perStep = 0;
  };
  Ahead aheadOf(Value view, std::optional<uint64_t> elements, int64_t steps);
  Ahead after(const Ahead &ahead, int64_t steps);
  void request(const Ahead &ahead, Value step);
  void product(const Address &a, bool transposed, const Address &bMatrix, int64_t depth, int64_t row0, int64_t rows,
               int64_t col0, int64_t vectors, mlir::MutableArrayRef<Value> accumulators, const Ahead &ahead);

  // TileLowering.cpp
  void lower(tkern::SplatOp op);
  void lower(tkern::ReduceOp op);
  void lower(tkern::AnyOp op);
  Value anyLane(Value flags);

  // SoftmaxLowering.cpp
  void lower(tkern::SoftmaxStepOp op);
  void lower(tkern::SoftmaxInPlaceOp op);
  /// The state of rows in memory, from the first of them on.
  struct SoftmaxRows {
    Address max, sum, acc;
    int64_t accVectors;
    float threshold;
    SoftmaxRows from(KernelLowering &k, Value row) const;
  };
  SoftmaxRows softmaxRows(Value max, Value sum, Value acc, const llvm::APFloat &threshold);
  Value raise(const SoftmaxRows &row, Value top, Value present, Value fresh);
  void exponentials(const SoftmaxRows &row, int64_t vectors, llvm::function_ref<Value(int64_t)> score,
                    llvm::function_ref<void(int64_t, Value)> keep);

  // BodyLowering.cpp, ElementLowering.cpp: element-wise bodies and the tables that they read
  class Body;
  void lower(tkern::MapOp op);
  void lower(tkern::MapPairsOp op);
  void lower(tkern::ElementOp op);
  Value entry(Value index, Value size);
  Value readElement(tkern::ElementOp op, mlir::ValueRange operands);

  // MathLowering.cpp: what products, softmax and bodies are made of
  Value exp2(Value x, Value low = {});
  /// exp2 where no x exceeds maxBoundedExponent.
  static constexpr float maxBoundedExponent = 126;
  Value boundedExp2(Value x);
  Value log2(Value x);
  Value reduce(tkern::ReduceKind kind, mlir::ArrayRef<Value> vectors);
  Value maximum(Value x, Value y);
  Value fma(Value x, Value y, Value z);
  Value fused(Value x, Value y, Value z);
  Value horner(mlir::ArrayRef<double> coefficients, Value x);

  // FunctionLowering.cpp, IntegerLowering.cpp: the ops of bodies, on vectors or scalars
  Value elementwise(mlir::Operation *op, mlir::ValueRange operands);
  Value floatOp(mlir::Operation *op, mlir::ValueRange operands);
  Value integerOp(mlir::Operation *op, mlir::ValueRange operands);
  struct Log {
    Value exponent, fraction; ///< of log2, both f32; fraction as a natural logarithm
  };
  Log splitLog(Value x);
  Value logOfSpecial(Value x, Value log);
  Value exp(Value x);
  Value tanh(Value x);
  Value roundDown(Value x);
  Value extreme(mlir::Operation *op, Value x, Value y, mlir::arith::CmpFPredicate isFirst, bool keepsNaN);
  Value truncated(Value x);
  Value quotient(Value x, Value y);
  Value roundedQuotient(Value x, Value y, Value whole, bool up);
  Value remainder(Value x, Value y);

  // Small words.
  Value i64(int64_t value) { return b.create<mlir::arith::ConstantIntOp>(loc, value, 64); }
  Value real(double value, Type type);
  /// An i32 (i64 where `shape` holds such), and a type, in the shape of a vector or scalar.
  Value integer(int64_t value, Value shape);
  static Type like(Value shape, Type element);
  Value choose(Value condition, Value x, Value y) { return b.create<mlir::arith::SelectOp>(loc, condition, x, y); }
  Value compare(mlir::arith::CmpFPredicate predicate, Value x, Value y) {
    return b.create<mlir::arith::CmpFOp>(loc, predicate, x, y);
  }
  Value compare(mlir::arith::CmpIPredicate predicate, Value x, Value y) {
    return b.create<mlir::arith::CmpIOp>(loc, predicate, x, y);
  }
  Value add(Value x, Value y) { return b.createOrFold<mlir::arith::AddIOp>(loc, x, y); }
  Value mul(Value x, Value y) { return b.createOrFold<mlir::arith::MulIOp>(loc, x, y); }
  Value broadcast(Value scalar, int64_t lanes);
  Value mapped(Value value) { return scalars.lookup(value); }
  mlir::VectorType vectorType(int64_t lanes) { return mlir::VectorType::get({lanes}, b.getF32Type()); }
  mlir::LLVM::LLVMPointerType pointerType() { return mlir::LLVM::LLVMPointerType::get(b.getContext()); }
  int64_t lanesOf(int64_t cols) const { return cols % target.lanes == 0 ? target.lanes : cols == 1 ? 1 : 4; }
  /// How many vectors make a tile, and what one of them is.
  int64_t vectorsOf(tkern::TileType tile) const { return tile.getRows() * (tile.getCols() / lanesOf(tile.getCols())); }
  Type partType(int64_t lanes) { return lanes == 1 ? Type(b.getF32Type()) : Type(vectorType(lanes)); }

  const CpuTarget &target;
  mlir::OpBuilder &b;
  mlir::Location loc;
  Value scratch;
  int64_t scratchBytes = 0;
  llvm::DenseMap<Value, Value> scalars;
  llvm::DenseMap<Value, Address> views;
  llvm::DenseMap<Value, Vectors> tiles;
};

} // namespace tercet::codegen
