// Bounds of the integer ops of regions (PairIntervals.h).
#include "PairIntervals.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

using arith::CmpIPredicate;

static constexpr int64_t lowest = std::numeric_limits<int32_t>::min(), highest = std::numeric_limits<int32_t>::max();

// Bounds that left 32 bits say nothing: the value wrapped.
Bounds PairIntervals::checked(Bounds bounds) {
  if (bounds.least >= lowest && bounds.most <= highest)
    return bounds;
  Value fits = both(compare(CmpIPredicate::sge, bounds.low, index(lowest)),
                    compare(CmpIPredicate::sle, bounds.high, index(highest)));
  return {choose(fits, bounds.low, index(lowest)), choose(fits, bounds.high, index(highest))};
}

Bounds PairIntervals::product(const Bounds &x, const Bounds &y) {
  int64_t corners[] = {x.least * y.least, x.least * y.most, x.most * y.least, x.most * y.most};
  int64_t least = *std::min_element(corners, corners + 4), most = *std::max_element(corners, corners + 4);
  auto times = [&](Value p, Value q) { return make<arith::MulIOp>(p, q); };
  if (x.least >= 0 && y.least >= 0)
    return checked({times(x.low, y.low), times(x.high, y.high), least, most});
  Value a = times(x.low, y.low), c = times(x.low, y.high), d = times(x.high, y.low), e = times(x.high, y.high);
  return checked({smaller(smaller(a, c), smaller(d, e)), larger(larger(a, c), larger(d, e)), least, most});
}

// By divisors from 1 on, quotients grow with the dividend, and the extremes lie at the divisor's ends. Else only that they
// are no larger than the dividend is used.
Bounds PairIntervals::quotient(Operation *op, const Bounds &x, const Bounds &y) {
  Value one = index(1), first = larger(y.low, one), last = larger(y.high, one);
  auto divide = [&](Value p, Value d) {
    return isa<arith::DivSIOp>(op)        ? make<arith::DivSIOp>(p, d)
           : isa<arith::FloorDivSIOp>(op) ? make<arith::FloorDivSIOp>(p, d)
                                          : make<arith::CeilDivSIOp>(p, d);
  };
  Value low = divide(x.low, first), high = divide(x.high, first);
  if (!y.isPoint()) {
    low = smaller(low, divide(x.low, last));
    high = larger(high, divide(x.high, last));
  }
  int64_t size = std::max(std::abs(x.least), std::abs(x.most));
  if (y.least < 1) {
    Value positive = compare(CmpIPredicate::sge, y.low, one), zero = index(0);
    Value most = larger(make<arith::SubIOp>(zero, x.low), x.high);
    low = choose(positive, low, make<arith::SubIOp>(zero, most));
    high = choose(positive, high, most);
    return checked({low, high, -size, size});
  }
  return {low, high, std::min<int64_t>(x.least, 0), std::max<int64_t>(x.most, 0)};
}

// With one divisor and one quotient all over, remainders run like the dividend. Else they have its sign and are smaller
// than the divisor. A divisor of 0 acts as 1: the remainder is 0.
Bounds PairIntervals::remainder(const Bounds &x, const Bounds &y) {
  Value zero = index(0), one = index(1);
  auto size = [&](Value v) { return larger(v, make<arith::SubIOp>(zero, v)); };
  Value divisor = larger(larger(size(y.low), size(y.high)), one);
  Value first = make<arith::DivSIOp>(x.low, divisor), last = make<arith::DivSIOp>(x.high, divisor);
  Value same = both(compare(CmpIPredicate::eq, first, last), compare(CmpIPredicate::eq, y.low, y.high));
  Value whole = make<arith::MulIOp>(first, divisor), below = make<arith::SubIOp>(divisor, one);
  Value low = larger(smaller(x.low, zero), make<arith::SubIOp>(zero, below));
  Value high = smaller(larger(x.high, zero), below);
  return {choose(same, make<arith::SubIOp>(x.low, whole), low), choose(same, make<arith::SubIOp>(x.high, whole), high),
          std::min<int64_t>(x.least, 0), std::max<int64_t>(x.most, 0)};
}

Bounds PairIntervals::bitwise(Operation *op, const Bounds &x, const Bounds &y) {
  if (x.least == x.most && y.least != y.most)
    return bitwise(op, y, x);
  Value zero = index(0);
  Value xPositive = compare(CmpIPredicate::sge, x.low, zero), yPositive = compare(CmpIPredicate::sge, y.low, zero);
  Value bothPositive = both(xPositive, yPositive);
  if (!isa<arith::AndIOp>(op)) { // x | y and x ^ y are at most x + y
    Value low = isa<arith::OrIOp>(op) ? larger(x.low, y.low) : zero;
    Value high = smaller(make<arith::AddIOp>(x.high, y.high), index(highest));
    return {choose(bothPositive, low, index(lowest)), choose(bothPositive, high, index(highest))};
  }
  bool isField = y.least == y.most && y.least >= 0 && (y.least & (y.least + 1)) == 0;
  if (isField) { // the low bits: they run like x while the others stay
    Value width = index(llvm::Log2_64(static_cast<uint64_t>(y.least) + 1)), field = index(y.least);
    Value same = compare(CmpIPredicate::eq, make<arith::ShRSIOp>(x.low, width), make<arith::ShRSIOp>(x.high, width));
    return {choose(same, make<arith::AndIOp>(x.low, field), zero),
            choose(same, make<arith::AndIOp>(x.high, field), field), 0, y.least};
  }
  Value low = choose(either(xPositive, yPositive), zero, index(lowest));
  Value high = choose(xPositive, choose(yPositive, smaller(x.high, y.high), x.high),
                      choose(yPositive, y.high, larger(x.high, y.high)));
  return {low, high};
}

Bounds PairIntervals::shiftLeft(const Bounds &x, const Bounds &by) {
  if (by.least != by.most)
    return unknown(b.getIndexType());
  if (by.least < 0 || by.least > 31)
    return {index(0), index(0), 0, 0};
  int64_t factor = int64_t{1} << by.least;
  return product(x, {index(factor), index(factor), factor, factor});
}

Bounds PairIntervals::shiftRight(const Bounds &x, const Bounds &by) {
  if (by.least != by.most)
    return {smaller(x.low, index(0)), larger(x.high, index(0)), std::min<int64_t>(x.least, 0),
            std::max<int64_t>(x.most, 0)};
  int64_t width = by.least < 0 || by.least > 31 ? 31 : by.least;
  return {make<arith::ShRSIOp>(x.low, index(width)), make<arith::ShRSIOp>(x.high, index(width)), x.least >> width,
          x.most >> width};
}

Bounds PairIntervals::absolute(const Bounds &x) {
  Value zero = index(0), negative = make<arith::SubIOp>(zero, x.low);
  Value low = larger(larger(x.low, make<arith::SubIOp>(zero, x.high)), zero);
  return checked({low, larger(negative, x.high), 0, std::max(-x.least, x.most)});
}

// As numbers from 0 to 2^32 - 1, where the sign is the same all over; else anything.
Bounds PairIntervals::unsignedOf(const Bounds &x) {
  Value zero = index(0), span = index(int64_t{1} << 32);
  Value negative = compare(CmpIPredicate::slt, x.high, zero), positive = compare(CmpIPredicate::sge, x.low, zero);
  auto raised = [&](Value v) { return choose(negative, make<arith::AddIOp>(v, span), v); };
  Value known = either(negative, positive);
  return {choose(known, raised(x.low), zero), choose(known, raised(x.high), make<arith::SubIOp>(span, index(1)))};
}

Bounds PairIntervals::comparison(CmpIPredicate predicate, Bounds x, Bounds y) {
  using enum CmpIPredicate;
  auto below = [&](const Bounds &p, const Bounds &q, CmpIPredicate is) { // p < q or p <= q
    return Bounds{compare(is, p.high, q.low), compare(is, p.low, q.high)};
  };
  switch (predicate) {
  case ult:
  case ule:
  case ugt:
  case uge:
    x = unsignedOf(x);
    y = unsignedOf(y);
    break;
  default:
    break;
  }
  switch (predicate) {
  case slt:
  case ult:
    return below(x, y, slt);
  case sle:
  case ule:
    return below(x, y, sle);
  case sgt:
  case ugt:
    return below(y, x, slt);
  case sge:
  case uge:
    return below(y, x, sle);
  case eq:
  case ne:
    break;
  }
  Value points = both(compare(eq, x.low, x.high), compare(eq, y.low, y.high));
  Value always = both(points, compare(eq, x.low, y.low));
  Value maybe = both(compare(sle, x.low, y.high), compare(sle, y.low, x.high));
  return predicate == eq ? Bounds{always, maybe} : Bounds{no(maybe), no(always)};
}

std::optional<Bounds> PairIntervals::integerRule(Operation *op) {
  Bounds x = of(op->getOperand(0)), y = op->getNumOperands() > 1 ? of(op->getOperand(1)) : Bounds();
  auto sum = [&](Value p, Value q) { return make<arith::AddIOp>(p, q); };
  auto difference = [&](Value p, Value q) { return make<arith::SubIOp>(p, q); };
  auto toFloat = [&](Value v) -> Value {
    Value narrow = b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), v);
    return b.createOrFold<arith::SIToFPOp>(loc, b.getF32Type(), narrow);
  };
  return llvm::TypeSwitch<Operation *, std::optional<Bounds>>(op)
      .Case([&](arith::AddIOp) {
        return checked({sum(x.low, y.low), sum(x.high, y.high), x.least + y.least, x.most + y.most});
      })
      .Case([&](arith::SubIOp) {
        return checked({difference(x.low, y.high), difference(x.high, y.low), x.least - y.most, x.most - y.least});
      })
      .Case([&](arith::MulIOp) { return product(x, y); })
      .Case<arith::DivSIOp, arith::FloorDivSIOp, arith::CeilDivSIOp>([&](auto) { return quotient(op, x, y); })
      .Case([&](arith::RemSIOp) { return remainder(x, y); })
      .Case([&](arith::MinSIOp) {
        return Bounds{smaller(x.low, y.low), smaller(x.high, y.high), std::min(x.least, y.least),
                      std::min(x.most, y.most)};
      })
      .Case([&](arith::MaxSIOp) {
        return Bounds{larger(x.low, y.low), larger(x.high, y.high), std::max(x.least, y.least),
                      std::max(x.most, y.most)};
      })
      .Case<arith::AndIOp, arith::OrIOp, arith::XOrIOp>([&](auto) { return bitwise(op, x, y); })
      .Case([&](arith::ShLIOp) { return shiftLeft(x, y); })
      .Case([&](arith::ShRSIOp) { return shiftRight(x, y); })
      .Case([&](math::AbsIOp) { return absolute(x); })
      .Case([&](arith::CmpIOp compare) { return comparison(compare.getPredicate(), x, y); })
      .Case([&](arith::IndexCastOp) { return x; })
      .Case([&](arith::SIToFPOp) {
        return Bounds{toFloat(x.low), toFloat(x.high)};
      })
      .Default([](Operation *) { return std::nullopt; });
}
