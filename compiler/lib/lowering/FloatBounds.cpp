// Bounds of the f32 ops of regions (PairIntervals.h): those that rules on positions use. Rounding keeps order, so bounds
// are rounded like values.
#include "PairIntervals.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

using arith::CmpFPredicate;

// Infinite operands may meet in a NaN: x - x is 0 for finite x alone.
Bounds PairIntervals::finite(const Bounds &result, ArrayRef<Bounds> operands) {
  Value rest;
  for (const Bounds &operand : operands)
    for (Value bound : {operand.low, operand.high}) {
      Value zero = make<arith::SubFOp>(bound, bound);
      rest = rest ? make<arith::AddFOp>(rest, zero) : zero;
    }
  return {make<arith::AddFOp>(result.low, rest), make<arith::AddFOp>(result.high, rest)};
}

Bounds PairIntervals::comparison(CmpFPredicate predicate, const Bounds &x, const Bounds &y) {
  using enum CmpFPredicate;
  auto is = [&](CmpFPredicate p, Value v, Value w) { return b.createOrFold<arith::CmpFOp>(loc, p, v, w); };
  // p < q, or p <= q: everywhere, and not refuted somewhere.
  auto below = [&](const Bounds &p, const Bounds &q, bool orEqual) {
    return Bounds{is(orEqual ? OLE : OLT, p.high, q.low), no(is(orEqual ? OGT : OGE, p.low, q.high))};
  };
  auto negated = [&](const Bounds &f) { return Bounds{no(f.high), no(f.low)}; };
  auto apart = [&] { return either(is(OLT, x.high, y.low), is(OLT, y.high, x.low)); };
  auto equal = [&] { return both(both(is(OEQ, x.low, x.high), is(OEQ, y.low, y.high)), is(OEQ, x.low, y.low)); };
  switch (predicate) {
  case OLT:
    return below(x, y, false);
  case OLE:
    return below(x, y, true);
  case OGT:
    return below(y, x, false);
  case OGE:
    return below(y, x, true);
  case OEQ:
    return {equal(), no(apart())};
  case ONE:
    return {apart(), no(equal())};
  case UGE:
    return negated(below(x, y, false));
  case UGT:
    return negated(below(x, y, true));
  case ULE:
    return negated(below(y, x, false));
  case ULT:
    return negated(below(y, x, true));
  case UNE:
    return {apart(), no(equal())};
  case UEQ:
    return {equal(), no(apart())};
  case ORD:
  case UNO:
  case AlwaysFalse:
  case AlwaysTrue:
    break;
  }
  return unknown(b.getI1Type());
}

std::optional<Bounds> PairIntervals::floatRule(Operation *op) {
  Bounds x = of(op->getOperand(0)), y = op->getNumOperands() > 1 ? of(op->getOperand(1)) : Bounds();
  auto negative = [&](Value v) { return b.createOrFold<arith::NegFOp>(loc, v); };
  auto lower = [&](Value p, Value q) { return make<arith::MinimumFOp>(p, q); };
  auto upper = [&](Value p, Value q) { return make<arith::MaximumFOp>(p, q); };
  return llvm::TypeSwitch<Operation *, std::optional<Bounds>>(op)
      .Case([&](arith::AddFOp) {
        return finite({make<arith::AddFOp>(x.low, y.low), make<arith::AddFOp>(x.high, y.high)}, {x, y});
      })
      .Case([&](arith::SubFOp) {
        return finite({make<arith::SubFOp>(x.low, y.high), make<arith::SubFOp>(x.high, y.low)}, {x, y});
      })
      .Case([&](arith::MulFOp) {
        auto times = [&](Value p, Value q) { return make<arith::MulFOp>(p, q); };
        Value c = times(x.low, y.low), d = times(x.low, y.high), e = times(x.high, y.low), f = times(x.high, y.high);
        return finite({lower(lower(c, d), lower(e, f)), upper(upper(c, d), upper(e, f))}, {x, y});
      })
      .Case([&](arith::NegFOp) {
        return Bounds{negative(x.high), negative(x.low)};
      })
      .Case<arith::MaximumFOp, arith::MaxNumFOp>([&](auto) {
        return Bounds{upper(x.low, y.low), upper(x.high, y.high)};
      })
      .Case<arith::MinimumFOp, arith::MinNumFOp>([&](auto) {
        return Bounds{lower(x.low, y.low), lower(x.high, y.high)};
      })
      .Case([&](math::AbsFOp) {
        Value zero = b.create<arith::ConstantOp>(loc, b.getF32FloatAttr(0));
        Value low = upper(upper(x.low, negative(x.high)), zero);
        return Bounds{low, upper(negative(x.low), x.high)};
      })
      .Case([&](math::FloorOp) {
        return Bounds{b.createOrFold<math::FloorOp>(loc, x.low), b.createOrFold<math::FloorOp>(loc, x.high)};
      })
      .Case([&](math::CeilOp) {
        return Bounds{b.createOrFold<math::CeilOp>(loc, x.low), b.createOrFold<math::CeilOp>(loc, x.high)};
      })
      .Case([&](arith::CmpFOp compare) { return comparison(compare.getPredicate(), x, y); })
      .Default([](Operation *) { return std::nullopt; });
}
