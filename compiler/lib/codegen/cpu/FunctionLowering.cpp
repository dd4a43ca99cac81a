// The f32 ops of bodies on the CPU, vectors and scalars alike, without library calls and as exact as the softmax's own
// exponential: a few units in the last place. Zeros are not told apart by their sign.
#include "KernelLowering.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

using arith::CmpFPredicate;

constexpr double log2e = 1.4426950408889634, ln2 = 0.6931471805599453;

// e^x = 2^(t + low) with t + low = x log2 e to twice the precision: fused, or with the upper bits of both factors, whose
// product is exact. Where x is not finite or 2^t saturates, low means nothing and is left out.
Value KernelLowering::exp(Value x) {
  Type type = x.getType();
  auto mul = [&](Value p, Value q) -> Value { return b.create<arith::MulFOp>(loc, p, q); };
  auto sub = [&](Value p, Value q) -> Value { return b.create<arith::SubFOp>(loc, p, q); };
  Value t, low;
  if (target.hasFma) {
    Value factor = real(log2e, type);
    t = mul(x, factor);
    low = b.create<LLVM::FMAOp>(loc, x, factor, b.create<arith::NegFOp>(loc, t));
    low = fma(x, real(log2e - static_cast<float>(log2e), type), low);
  } else {
    constexpr double upper = 0x1.714p0;                     // eleven bits of log2 e
    Value most = real(110, type), least = real(-110, type); // beyond, e^x saturates; NaN passes
    x = choose(compare(CmpFPredicate::OGT, x, most), most, x);
    x = choose(compare(CmpFPredicate::OLT, x, least), least, x);
    Value bits = b.create<LLVM::BitcastOp>(loc, like(x, b.getI32Type()), x);
    Value kept = b.create<arith::AndIOp>(loc, bits, integer(~0xfff, x));
    Value head = b.create<LLVM::BitcastOp>(loc, type, kept);
    Value product = mul(head, real(upper, type));
    Value rest = fma(x, real(log2e - upper, type), mul(sub(x, head), real(upper, type)));
    t = b.create<arith::AddFOp>(loc, product, rest);
    low = sub(rest, sub(t, product));
  }
  Value small = compare(CmpFPredicate::OLT, b.create<LLVM::FAbsOp>(loc, low), real(0x1p-10, type));
  return exp2(t, choose(small, low, real(0, type)));
}

// 1 - 2 / (e^2|x| + 1), whose rounding is that of 1 almost alone; near 0, where that cancels, x + x^3 P(x^2) with P
// interpolated at Chebyshev's nodes of [0, 0.36], which leaves 1.1e-8 of the result.
Value KernelLowering::tanh(Value x) {
  Type type = x.getType();
  auto mul = [&](Value p, Value q) -> Value { return b.create<arith::MulFOp>(loc, p, q); };
  Value size = b.create<LLVM::FAbsOp>(loc, x), square = mul(x, x), one = real(1, type);
  Value power = exp2(mul(size, real(2 * log2e, type)));
  Value quotient = b.create<arith::DivFOp>(loc, real(2, type), b.create<arith::AddFOp>(loc, power, one));
  Value far = b.create<LLVM::CopySignOp>(loc, b.create<arith::SubFOp>(loc, one, quotient), x);
  Value odd = horner({-0.333333303327, 0.13332915367, -0.0538739488477, 0.0211109590463, -0.00626911971588}, square);
  Value near = fma(mul(x, square), odd, x);
  return choose(compare(CmpFPredicate::OLT, size, real(0.6, type)), near, far);
}

// floor: by the processor, or through i32 where |x| < 2^23; larger x are integers.
Value KernelLowering::roundDown(Value x) {
  if (target.hasRound)
    return b.create<LLVM::FFloorOp>(loc, x.getType(), x);
  Type type = x.getType();
  Value small = compare(CmpFPredicate::OLT, b.create<LLVM::FAbsOp>(loc, x), real(0x1p23, type));
  Value bounded = choose(small, x, real(0, type));
  Value whole = b.create<arith::SIToFPOp>(loc, type, b.create<arith::FPToSIOp>(loc, like(x, b.getI32Type()), bounded));
  Value below = b.create<arith::SubFOp>(loc, whole, real(1, type));
  return choose(small, choose(compare(CmpFPredicate::OGT, whole, bounded), below, whole), x);
}

// The largest size that an f32 may have, as far as the ops that make it say; infinite where it may be NaN or infinite.
static double largest(Value x, int depth = 0) {
  constexpr double unknown = std::numeric_limits<double>::infinity();
  Operation *op = x.getDefiningOp();
  if (!op || depth > 6)
    return unknown;
  auto of = [&](unsigned operand) { return largest(op->getOperand(operand), depth + 1); };
  double size = llvm::TypeSwitch<Operation *, double>(op)
                    .Case([](arith::ConstantOp constant) {
                      auto value = dyn_cast<FloatAttr>(constant.getValue());
                      return value && value.getValue().isFinite() ? std::abs(value.getValueAsDouble()) : unknown;
                    })
                    .Case<arith::SIToFPOp, arith::UIToFPOp>(
                        [&](Operation *) { return std::exp2(op->getOperand(0).getType().getIntOrFloatBitWidth()); })
                    .Case<arith::NegFOp, math::AbsFOp>([&](Operation *) { return of(0); })
                    .Case([&](arith::MulFOp) { return std::isfinite(of(0) + of(1)) ? of(0) * of(1) : unknown; })
                    .Case<arith::AddFOp, arith::SubFOp>([&](Operation *) { return of(0) + of(1); })
                    .Case<arith::MaximumFOp, arith::MinimumFOp>([&](Operation *) { return std::max(of(0), of(1)); })
                    .Default(unknown);
  return size <= std::numeric_limits<float>::max() / 2 ? size : unknown; // less what rounding adds
}

// The larger or smaller of two, as `isFirst` says; NaN wins, or loses. One comparison where one of them is a number and
// stands first if NaN is to win, last if it is to lose.
Value KernelLowering::extreme(Operation *op, Value x, Value y, CmpFPredicate isFirst, bool keepsNaN) {
  auto isNumber = [&](unsigned operand) { return std::isfinite(largest(op->getOperand(operand))); };
  if (isNumber(keepsNaN ? 0 : 1))
    return choose(compare(isFirst, x, y), x, y);
  if (isNumber(keepsNaN ? 1 : 0))
    return choose(compare(isFirst, y, x), y, x);
  Value best = choose(compare(isFirst, x, y), x, y); // y where either is NaN
  Value nan = keepsNaN ? x : y;
  return choose(compare(CmpFPredicate::UNO, nan, nan), x, best);
}

// To i32 towards zero; what does not fit becomes the nearest end, NaN 0.
Value KernelLowering::truncated(Value x) {
  using Limits = std::numeric_limits<int32_t>;
  Type type = x.getType();
  Value over = compare(CmpFPredicate::OGE, x, real(0x1p31, type));
  Value under = compare(CmpFPredicate::OLE, x, real(-0x1p31, type));
  Value fits = compare(CmpFPredicate::OLT, b.create<LLVM::FAbsOp>(loc, x), real(0x1p31, type));
  Value whole = b.create<arith::FPToSIOp>(loc, like(x, b.getI32Type()), choose(fits, x, real(0, type)));
  return choose(over, integer(Limits::max(), x), choose(under, integer(Limits::min(), x), whole));
}

// One rounding, as math.fma means it: where the processor does not fuse, in f64, which holds every product of two f32.
Value KernelLowering::fused(Value x, Value y, Value z) {
  if (target.hasFma)
    return fma(x, y, z);
  auto wide = [&](Value v) -> Value { return b.create<arith::ExtFOp>(loc, like(v, b.getF64Type()), v); };
  Value product = b.create<arith::MulFOp>(loc, wide(x), wide(y));
  return b.create<arith::TruncFOp>(loc, x.getType(), b.create<arith::AddFOp>(loc, product, wide(z)));
}

Value KernelLowering::floatOp(Operation *op, ValueRange operands) {
  Value x = operands.empty() ? Value() : operands[0];
  auto negated = [&](Value v) -> Value { return b.create<arith::NegFOp>(loc, v); };
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](math::Exp2Op) { return exp2(x); })
      .Case([&](math::ExpOp) { return exp(x); })
      .Case([&](math::Log2Op) { return log2(x); })
      .Case([&](math::LogOp) {
        Log log = splitLog(x);
        Value low = fma(log.exponent, real(ln2 - static_cast<float>(ln2), x.getType()), log.fraction);
        return logOfSpecial(x, fma(log.exponent, real(ln2, x.getType()), low));
      })
      .Case([&](math::TanhOp) { return tanh(x); })
      .Case([&](math::SqrtOp) { return b.create<LLVM::SqrtOp>(loc, x.getType(), x); })
      .Case([&](math::RsqrtOp) {
        return b.create<arith::DivFOp>(loc, real(1, x.getType()), b.create<LLVM::SqrtOp>(loc, x.getType(), x));
      })
      .Case([&](math::AbsFOp) { return b.create<LLVM::FAbsOp>(loc, x.getType(), x); })
      .Case([&](math::FloorOp) { return roundDown(x); })
      .Case([&](math::CeilOp) { return negated(roundDown(negated(x))); })
      .Case([&](math::FmaOp) { return fused(x, operands[1], operands[2]); })
      .Case([&](arith::MaximumFOp) { return extreme(op, x, operands[1], CmpFPredicate::OGT, /*keepsNaN=*/true); })
      .Case([&](arith::MaxNumFOp) { return extreme(op, x, operands[1], CmpFPredicate::OGT, /*keepsNaN=*/false); })
      .Case([&](arith::MinimumFOp) { return extreme(op, x, operands[1], CmpFPredicate::OLT, /*keepsNaN=*/true); })
      .Case([&](arith::MinNumFOp) { return extreme(op, x, operands[1], CmpFPredicate::OLT, /*keepsNaN=*/false); })
      .Case([&](arith::FPToSIOp cast) -> Value {
        Value whole = truncated(x);
        Type to = cast.getType();
        return to.isInteger(32) ? whole : Value(b.create<arith::TruncIOp>(loc, like(x, to), whole));
      })
      .Default([](Operation *) { return Value(); });
}

// The result of an op of a body. Ops without a lowering of their own are MLIR's, in the operands' shape and without flags:
// sums wrap, and infinities and NaN are values.
Value KernelLowering::elementwise(Operation *op, ValueRange operands) {
  if (Value value = floatOp(op, operands))
    return value;
  if (Value value = integerOp(op, operands))
    return value;
  Type type = like(operands.front(), op->getResult(0).getType());
  auto attributes = llvm::to_vector(llvm::make_filter_range(op->getAttrs(), [](NamedAttribute attribute) {
    return attribute.getName() != "fastmath" && attribute.getName() != "overflowFlags";
  }));
  return b.create(loc, op->getName().getIdentifier(), operands, type, attributes)->getResult(0);
}
