// The i32 ops of bodies on the CPU where plain instructions would trap or leave something undefined
// (docs/spec.md#regions): divisions by 0 give 0, wide shifts 0 or the sign. Vectors divide in f64: a quotient of two i32
// that is not whole lies at least 2^-31 of its size from the nearest integer, far more than f64 rounds.
#include "KernelLowering.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

using arith::CmpIPredicate;

Type KernelLowering::like(Value shape, Type element) {
  if (auto vector = dyn_cast<VectorType>(shape.getType()))
    return VectorType::get(vector.getShape(), element);
  return element;
}

Value KernelLowering::integer(int64_t value, Value shape) {
  bool isWide = getElementTypeOrSelf(shape.getType()).isInteger(64);
  Type type = like(shape, isWide ? b.getI64Type() : b.getI32Type());
  APInt bits(isWide ? 64 : 32, static_cast<uint64_t>(value), /*isSigned=*/true);
  if (auto vector = dyn_cast<VectorType>(type))
    return b.create<arith::ConstantOp>(loc, DenseElementsAttr::get(vector, bits));
  return b.create<arith::ConstantOp>(loc, b.getIntegerAttr(type, bits));
}

// x / y towards zero.
Value KernelLowering::quotient(Value x, Value y) {
  APInt known;
  if (matchPattern(y, m_ConstantInt(&known))) {
    if (known.isZero())
      return y;
    if (known.isAllOnes())
      return b.create<arith::SubIOp>(loc, integer(0, x), x);
    return b.create<arith::DivSIOp>(loc, x, y);
  }
  Value zero = compare(CmpIPredicate::eq, y, integer(0, y));
  Value overflows =
      b.create<arith::AndIOp>(loc, compare(CmpIPredicate::eq, x, integer(std::numeric_limits<int32_t>::min(), x)),
                              compare(CmpIPredicate::eq, y, integer(-1, y)));
  Value safe = choose(b.create<arith::OrIOp>(loc, zero, overflows), integer(1, y), y), result;
  if (isa<VectorType>(x.getType())) {
    auto wide = [&](Value v) -> Value { return b.create<arith::SIToFPOp>(loc, like(v, b.getF64Type()), v); };
    result = b.create<arith::FPToSIOp>(loc, x.getType(), b.create<arith::DivFOp>(loc, wide(x), wide(safe)));
  } else {
    result = b.create<arith::DivSIOp>(loc, x, safe);
  }
  return choose(zero, integer(0, x), result);
}

Value KernelLowering::remainder(Value x, Value y) {
  Value rest = b.create<arith::SubIOp>(loc, x, b.create<arith::MulIOp>(loc, quotient(x, y), y));
  return choose(compare(CmpIPredicate::eq, y, integer(0, y)), integer(0, y), rest);
}

// x / y towards plus or minus infinity from `whole`, which is rounded towards zero: one more, or less, where something is
// left on that side.
Value KernelLowering::roundedQuotient(Value x, Value y, Value whole, bool up) {
  Value rest = b.create<arith::SubIOp>(loc, x, b.create<arith::MulIOp>(loc, whole, y));
  Value zero = integer(0, x);
  Value signs = b.create<arith::XOrIOp>(loc, rest, y);
  Value side = compare(up ? CmpIPredicate::sge : CmpIPredicate::slt, signs, zero);
  Value left = b.create<arith::AndIOp>(loc, compare(CmpIPredicate::ne, rest, zero), side);
  Value moved = b.create<arith::AddIOp>(loc, whole, integer(up ? 1 : -1, x));
  return choose(compare(CmpIPredicate::eq, y, zero), zero, choose(left, moved, whole));
}

Value KernelLowering::integerOp(Operation *op, ValueRange operands) {
  if (operands.empty() || !getElementTypeOrSelf(operands[0].getType()).isInteger(32))
    return {};
  Value x = operands[0];
  auto shortShift = [&] { return compare(CmpIPredicate::ult, operands[1], integer(32, x)); };
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](arith::DivSIOp) { return quotient(x, operands[1]); })
      .Case([&](arith::RemSIOp) { return remainder(x, operands[1]); })
      .Case(
          [&](arith::FloorDivSIOp) { return roundedQuotient(x, operands[1], quotient(x, operands[1]), /*up=*/false); })
      .Case([&](arith::CeilDivSIOp) { return roundedQuotient(x, operands[1], quotient(x, operands[1]), /*up=*/true); })
      .Case([&](arith::ShLIOp) -> Value {
        Value isShort = shortShift(), by = choose(isShort, operands[1], integer(0, x));
        return choose(isShort, b.create<arith::ShLIOp>(loc, x, by), integer(0, x));
      })
      .Case([&](arith::ShRSIOp) -> Value {
        return b.create<arith::ShRSIOp>(loc, x, choose(shortShift(), operands[1], integer(31, x)));
      })
      .Case([&](math::AbsIOp) -> Value {
        Value zero = integer(0, x), negative = b.create<arith::SubIOp>(loc, zero, x); // wraps
        return choose(compare(CmpIPredicate::slt, x, zero), negative, x);
      })
      .Default([](Operation *) { return Value(); });
}
