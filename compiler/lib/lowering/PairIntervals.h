// PairIntervals: what a region over pairs can yield on a rectangle of pairs, as scalar code of a kernel. Every value of the
// region gets bounds from those of its operands, so a bound may be wider than the truth and is never narrower.
//
// Integers are bounded as index: bounds are taken in 64 bits, and where one leaves 32 bits, so that the value may have
// wrapped, nothing is known. Floats are bounded as f32; a NaN in either bound stands for anything, NaN included. An i1 is
// bounded by (whether it is true everywhere, whether it may be true somewhere).
#pragma once

#include "PairRegion.h"

#include <functional>
#include <limits>
#include <optional>

namespace tercet::compiler {

struct Bounds {
  mlir::Value low, high;
  /// What is known of integers when the code is made: checks that these exclude are left out.
  int64_t least = std::numeric_limits<int32_t>::min(), most = std::numeric_limits<int32_t>::max();
  bool isPoint() const { return low == high; }
};

class PairIntervals {
public:
  /// Bounds of a read some of whose indices are not known exactly, or nothing.
  using RangeReader = std::function<std::optional<Bounds>(ir::ReadOp, llvm::ArrayRef<Bounds>)>;

  /// A region of which what depends on batch and head alone is cloned already.
  PairIntervals(mlir::OpBuilder &builder, const PairRegion &region, RangeReader readRange)
      : b(builder), loc(builder.getUnknownLoc()), region(region), readRange(std::move(readRange)) {}

  /// Argument `number` of the region lies between `low` and `high`, both index, inclusive, and both positions.
  void bind(unsigned number, mlir::Value low, mlir::Value high);
  /// Bounds of what the region yields. Of a predicate: low is true where every pair satisfies it, high is false where
  /// none does.
  Bounds result() { return of(region.yielded()); }

private:
  using Value = mlir::Value;
  Bounds of(Value ofRegion);
  Bounds evaluate(mlir::Operation *op);
  Bounds unknown(mlir::Type type);
  Bounds read(ir::ReadOp op);
  Bounds select(const Bounds &condition, const Bounds &x, const Bounds &y);
  Bounds flagRule(mlir::Operation *op, const Bounds &x, const Bounds &y);

  // IntegerBounds.cpp
  std::optional<Bounds> integerRule(mlir::Operation *op);
  Bounds comparison(mlir::arith::CmpIPredicate predicate, Bounds x, Bounds y);
  Bounds checked(Bounds bounds);
  Bounds product(const Bounds &x, const Bounds &y);
  Bounds quotient(mlir::Operation *op, const Bounds &x, const Bounds &y);
  Bounds remainder(const Bounds &x, const Bounds &y);
  Bounds bitwise(mlir::Operation *op, const Bounds &x, const Bounds &y);
  Bounds shiftLeft(const Bounds &x, const Bounds &by);
  Bounds shiftRight(const Bounds &x, const Bounds &by);
  Bounds absolute(const Bounds &x);
  Bounds unsignedOf(const Bounds &x);

  // FloatBounds.cpp
  std::optional<Bounds> floatRule(mlir::Operation *op);
  Bounds comparison(mlir::arith::CmpFPredicate predicate, const Bounds &x, const Bounds &y);
  Bounds finite(const Bounds &result, llvm::ArrayRef<Bounds> operands);

  // Words.
  Value index(int64_t value) { return b.create<mlir::arith::ConstantIndexOp>(loc, value); }
  Value flag(bool value) { return b.create<mlir::arith::ConstantIntOp>(loc, value, 1); }
  Value no(Value x) { return make<mlir::arith::XOrIOp>(x, flag(true)); }
  Value both(Value x, Value y) { return make<mlir::arith::AndIOp>(x, y); }
  Value either(Value x, Value y) { return make<mlir::arith::OrIOp>(x, y); }
  Value choose(Value c, Value x, Value y) { return b.createOrFold<mlir::arith::SelectOp>(loc, c, x, y); }
  Value compare(mlir::arith::CmpIPredicate predicate, Value x, Value y) {
    return b.createOrFold<mlir::arith::CmpIOp>(loc, predicate, x, y);
  }
  Value smaller(Value x, Value y) { return make<mlir::arith::MinSIOp>(x, y); }
  Value larger(Value x, Value y) { return make<mlir::arith::MaxSIOp>(x, y); }
  template <typename Op> Value make(Value x, Value y) { return b.createOrFold<Op>(loc, x, y); }

  mlir::OpBuilder &b;
  mlir::Location loc;
  const PairRegion &region;
  RangeReader readRange;
  llvm::DenseMap<Value, Bounds> known;
};

} // namespace tercet::compiler
