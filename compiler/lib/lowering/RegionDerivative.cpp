// derivativeOf: see the header.
#include "RegionDerivative.h"

#include "tercet/dialect/TercetDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

#include <fmt/core.h>

#include <cmath>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {

class Tangents {
public:
  Tangents(Block &block, Value by) : block(block), b(block.getTerminator()) { tangents[by] = number(1); }

  Status run() {
    for (Operation *op : ops) {
      loc = op->getLoc();
      if (llvm::none_of(op->getOperands(), [&](Value value) { return tangents.contains(value); }))
        continue;
      std::optional<Value> tangent = ruleOf(op);
      if (!tangent)
        return refuse(op);
      if (*tangent)
        tangents[op->getResult(0)] = *tangent;
    }
    Value yielded = of(block.getTerminator()->getOperand(0));
    block.getTerminator()->setOperand(0, yielded ? yielded : number(0));
    return {};
  }

private:
  Block &block;
  OpBuilder b;
  Location loc = UnknownLoc::get(b.getContext());
  SmallVector<Operation *> ops{llvm::make_pointer_range(block.without_terminator())}; ///< tangents come behind these
  DenseMap<Value, Value> tangents; ///< of values that depend on what is differentiated by

  Value of(Value value) { return tangents.lookup(value); }
  Value orZero(Value tangent) { return tangent ? tangent : number(0); }
  Value number(double value) { return b.create<arith::ConstantOp>(loc, b.getF32FloatAttr(static_cast<float>(value))); }
  // A null value is 0.
  Value times(Value x, Value y) { return x && y ? b.createOrFold<arith::MulFOp>(loc, x, y) : Value(); }
  Value over(Value x, Value y) { return x ? b.create<arith::DivFOp>(loc, x, y) : Value(); }
  Value minus(Value x) { return x ? b.create<arith::NegFOp>(loc, x) : Value(); }
  Value plus(Value x, Value y) { return !x ? y : !y ? x : Value(b.create<arith::AddFOp>(loc, x, y)); }
  Value less(Value x, Value y) { return b.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OLT, x, y); }
  Value choose(Value condition, Value x, Value y) {
    return b.create<arith::SelectOp>(loc, condition, orZero(x), orZero(y));
  }
  Value mean(Value x, Value y) { return times(plus(x, y), number(0.5)); }
  Value unlessEqual(Value x, Value y, Value atTie, Value otherwise) {
    return choose(b.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, x, y), atTie, otherwise);
  }

  /// The tangent of an op's result, null where that is 0; nothing without a rule.
  std::optional<Value> ruleOf(Operation *op) {
    if (!op->getResult(0).getType().isF32() || isa<math::FloorOp, math::CeilOp>(op))
      return Value();
    Value result = op->getResult(0), x = op->getOperand(0), dx = of(x);
    Value y = op->getNumOperands() > 1 ? op->getOperand(1) : Value(), dy = of(y);
    return llvm::TypeSwitch<Operation *, std::optional<Value>>(op)
        .Case([&](arith::AddFOp) { return plus(dx, dy); })
        .Case([&](arith::SubFOp) { return plus(dx, minus(dy)); })
        .Case([&](arith::MulFOp) { return plus(times(dx, y), times(dy, x)); })
        .Case([&](arith::DivFOp) { return over(plus(dx, minus(times(dy, result))), y); })
        .Case([&](math::FmaOp fma) { return plus(plus(times(dx, y), times(dy, x)), of(fma.getC())); })
        .Case([&](arith::NegFOp) { return minus(dx); })
        .Case([&](arith::MaximumFOp) { return unlessEqual(x, y, mean(dx, dy), choose(less(x, y), dy, dx)); })
        .Case([&](arith::MinimumFOp) { return unlessEqual(x, y, mean(dx, dy), choose(less(y, x), dy, dx)); })
        .Case([&](arith::MaxNumFOp) { return choose(less(x, y), dy, dx); })
        .Case([&](arith::MinNumFOp) { return choose(less(y, x), dy, dx); })
        .Case([&](arith::SelectOp select) {
          return choose(select.getCondition(), of(select.getTrueValue()), of(select.getFalseValue()));
        })
        .Case([&](math::ExpOp) { return times(dx, result); })
        .Case([&](math::Exp2Op) { return times(times(dx, result), number(M_LN2)); })
        .Case([&](math::LogOp) { return over(dx, x); })
        .Case([&](math::Log2Op) { return over(times(dx, number(M_LOG2E)), x); })
        .Case([&](math::TanhOp) { return times(dx, plus(number(1), minus(times(result, result)))); })
        .Case([&](math::SqrtOp) { return over(times(dx, number(0.5)), result); })
        .Case([&](math::RsqrtOp) { return times(times(dx, number(-0.5)), times(result, times(result, result))); })
        .Case(
            [&](math::AbsFOp) { return unlessEqual(x, number(0), Value(), choose(less(x, number(0)), minus(dx), dx)); })
        .Default([](Operation *) { return std::nullopt; });
  }

  static Status refuse(Operation *op) {
    return Status::make(Code::invalidSpec, "{}: {} of a value that a gradient goes through has no derivative",
                        placeOf(op), op->getName().getStringRef().str());
  }
};

} // namespace

std::string compiler::placeOf(Operation *op) {
  auto line = op->getLoc()->findInstanceOf<FileLineColLoc>();
  return line ? fmt::format("{}:{}:{}", line.getFilename().str(), line.getLine(), line.getColumn()) : "a region";
}

Result<std::unique_ptr<Region>> compiler::derivativeOf(Region &region, Value by) {
  auto derivative = std::make_unique<Region>();
  IRMapping mapping;
  region.cloneInto(derivative.get(), mapping);
  TERCET_RETURN_IF_ERROR(Tangents(derivative->front(), mapping.lookup(by)).run());
  return std::move(derivative);
}
