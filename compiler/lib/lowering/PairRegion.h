// PairRegion: regions over pairs (docs/spec.md#regions) as ops of a kernel, in stages: what depends on few of a region's
// arguments is cloned where these are known, outside of loops, the rest inside.
#pragma once

#include "tercet/dialect/TercetDialect.h"
#include "tercet/dialect/TkernDialect.h"

#include "mlir/IR/IRMapping.h"

namespace tercet::compiler {

/// A table as a kernel sees it: sizes and strides per axis.
struct TableView {
  mlir::Value base;
  llvm::SmallVector<mlir::Value> sizes, strides;
};

/// What regions take from outside, as values of a kernel.
class PairScope {
public:
  virtual ~PairScope() = default;
  virtual TableView table(llvm::StringRef name, ir::TableType type) = 0;
  /// f32, i32 or i1.
  virtual mlir::Value parameter(mlir::OpBuilder &builder, ir::ParamOp param) = 0;
  /// i32.
  virtual mlir::Value extent(mlir::OpBuilder &builder, ir::Extent extent) = 0;
};

class PairRegion {
public:
  /// flags: of the float ops that are cloned, but for those that a decision hangs on: what goes into a comparison, fptosi,
  /// floor or ceil is rounded once per op.
  PairRegion(mlir::Region &region, PairScope &scope, mlir::arith::FastMathFlags flags = {});

  /// Gives argument `number` of the region its value: i32 for an index.
  void bind(unsigned number, mlir::Value value) { values.map(body.getArgument(number), value); }
  /// Gives a value of the region the value that was made for it elsewhere.
  void set(mlir::Value ofRegion, mlir::Value value) { values.map(ofRegion, value); }
  /// Clones at the builder's insertion point what depends on bound arguments alone and is not cloned yet. Index becomes
  /// i32. Where only a divisor is ready, its reciprocal is made, by which the division will multiply.
  void clone(mlir::OpBuilder &builder);
  /// The reciprocals of divisors that are ready, alone.
  void invert(mlir::OpBuilder &builder);
  /// One value of the region, cloned with what it needs; all arguments that it depends on are bound.
  mlir::Value make(mlir::OpBuilder &builder, mlir::Value ofRegion);
  bool has(mlir::Value ofRegion) const { return values.contains(ofRegion); }
  mlir::Value lookup(mlir::Value ofRegion) const { return values.lookup(ofRegion); }
  mlir::Block &block() const { return body; }
  mlir::Value yielded() const { return body.getTerminator()->getOperand(0); }
  /// What the region yields, once all of its arguments are bound and it is cloned.
  mlir::Value result() const { return lookup(yielded()); }

private:
  bool isReady(mlir::Value value) const;
  /// Whether a division may multiply by a reciprocal.
  bool isInexact(mlir::arith::DivFOp division) const { return !deciding.contains(division); }
  mlir::Value cloneOp(mlir::OpBuilder &builder, mlir::Operation *op);
  mlir::Value cloneRead(mlir::OpBuilder &builder, ir::ReadOp read);
  mlir::Value cloneDivision(mlir::OpBuilder &builder, mlir::arith::DivFOp division);

  mlir::Block &body;
  PairScope &scope;
  mlir::arith::FastMathFlags flags;
  mlir::IRMapping values;
  llvm::DenseSet<mlir::Operation *> deciding;           ///< ops of the region that a decision hangs on
  llvm::DenseMap<mlir::Value, mlir::Value> reciprocals; ///< of divisors of the region
};

} // namespace tercet::compiler
