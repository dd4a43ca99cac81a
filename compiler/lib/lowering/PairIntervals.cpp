#include "PairIntervals.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

void PairIntervals::bind(unsigned number, Value low, Value high) {
  known[region.block().getArgument(number)] = {low, high, 0, std::numeric_limits<int32_t>::max()};
}

Bounds PairIntervals::of(Value ofRegion) {
  if (auto found = known.find(ofRegion); found != known.end())
    return found->second;
  Bounds bounds;
  if (region.has(ofRegion)) {
    Value exact = region.lookup(ofRegion);
    APInt constant;
    if (exact.getType().isInteger(32)) {
      if (matchPattern(exact, m_ConstantInt(&constant)))
        bounds.least = bounds.most = constant.getSExtValue();
      exact = b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), exact);
    }
    bounds.low = bounds.high = exact;
  } else {
    bounds = evaluate(ofRegion.getDefiningOp());
  }
  return known[ofRegion] = bounds;
}

Bounds PairIntervals::unknown(Type type) {
  if (type.isInteger(1))
    return {flag(false), flag(true)};
  if (type.isF32()) {
    Value nan = b.create<arith::ConstantOp>(loc, b.getF32FloatAttr(std::numeric_limits<float>::quiet_NaN()));
    return {nan, nan};
  }
  using Limits = std::numeric_limits<int32_t>;
  return {index(Limits::min()), index(Limits::max())};
}

Bounds PairIntervals::read(ir::ReadOp op) {
  SmallVector<Bounds> indices;
  for (Value at : op.getIndices())
    indices.push_back(of(at));
  std::optional<Bounds> range = readRange ? readRange(op, indices) : std::nullopt;
  return range ? *range : unknown(op.getType());
}

// Where the condition may be either, what spans both.
Bounds PairIntervals::select(const Bounds &condition, const Bounds &x, const Bounds &y) {
  Type type = x.low.getType();
  bool isFlag = type.isInteger(1), isFloat = type.isF32();
  auto lower = [&](Value p, Value q) {
    return isFlag ? both(p, q) : isFloat ? make<arith::MinimumFOp>(p, q) : smaller(p, q);
  };
  auto upper = [&](Value p, Value q) {
    return isFlag ? either(p, q) : isFloat ? make<arith::MaximumFOp>(p, q) : larger(p, q);
  };
  auto pick = [&](Value p, Value q, Value span) { return choose(condition.low, p, choose(condition.high, span, q)); };
  return {pick(x.low, y.low, lower(x.low, y.low)), pick(x.high, y.high, upper(x.high, y.high)),
          std::min(x.least, y.least), std::max(x.most, y.most)};
}

// Logic on i1; its arithmetic is not followed.
Bounds PairIntervals::flagRule(Operation *op, const Bounds &x, const Bounds &y) {
  if (isa<arith::AndIOp>(op))
    return {both(x.low, y.low), both(x.high, y.high)};
  if (isa<arith::OrIOp>(op))
    return {either(x.low, y.low), either(x.high, y.high)};
  auto compare = dyn_cast<arith::CmpIOp>(op);
  bool isEqual = compare && compare.getPredicate() == arith::CmpIPredicate::eq;
  if (!isa<arith::XOrIOp>(op) && !isEqual && !(compare && compare.getPredicate() == arith::CmpIPredicate::ne))
    return unknown(b.getI1Type());
  // Different everywhere, and different somewhere.
  Value always = either(both(x.low, no(y.high)), both(y.low, no(x.high)));
  Value maybe = either(both(x.high, no(y.low)), both(y.high, no(x.low)));
  return isEqual ? Bounds{no(maybe), no(always)} : Bounds{always, maybe};
}

Bounds PairIntervals::evaluate(Operation *op) {
  if (auto element = dyn_cast<ir::ReadOp>(op))
    return read(element);
  if (auto choice = dyn_cast<arith::SelectOp>(op))
    return select(of(choice.getCondition()), of(choice.getTrueValue()), of(choice.getFalseValue()));
  Type from = op->getOperand(0).getType();
  if (from.isInteger(1) && op->getNumOperands() == 2)
    return flagRule(op, of(op->getOperand(0)), of(op->getOperand(1)));
  std::optional<Bounds> bounds = from.isF32() ? floatRule(op) : integerRule(op);
  return bounds ? *bounds : unknown(op->getResult(0).getType());
}
