// Functions of f32 that every kernel is made of, vectors and scalars alike, without library calls.
#include "KernelLowering.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

Value KernelLowering::real(double value, Type type) {
  auto attribute = b.getF32FloatAttr(static_cast<float>(value));
  if (auto vector = dyn_cast<VectorType>(type))
    return b.create<arith::ConstantOp>(loc, DenseElementsAttr::get(vector, attribute.getValue()));
  return b.create<arith::ConstantOp>(loc, attribute);
}

Value KernelLowering::broadcast(Value scalar, int64_t lanes) {
  if (lanes == 1)
    return scalar;
  auto type = VectorType::get({lanes}, scalar.getType());
  Value undefined = b.create<LLVM::PoisonOp>(loc, type);
  Value zero = b.create<LLVM::ConstantOp>(loc, b.getI32Type(), b.getI32IntegerAttr(0));
  Value first = b.create<LLVM::InsertElementOp>(loc, undefined, scalar, zero);
  return b.create<LLVM::ShuffleVectorOp>(loc, first, undefined, SmallVector<int32_t>(lanes, 0));
}

// Fused where the processor fuses; separate multiply and add elsewhere, never a library call.
Value KernelLowering::fma(Value x, Value y, Value z) { return b.create<LLVM::FMulAddOp>(loc, x, y, z); }

// One vmaxps: the second operand where either is NaN.
Value KernelLowering::maximum(Value x, Value y) {
  return b.create<arith::SelectOp>(loc, b.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, x, y), x, y);
}

Value KernelLowering::reduce(tkern::ReduceKind kind, ArrayRef<Value> vectors) {
  bool isMax = kind == tkern::ReduceKind::Max;
  Value sum = vectors.front();
  for (Value next : vectors.drop_front())
    sum = isMax ? maximum(sum, next) : Value(b.create<arith::AddFOp>(loc, sum, next));
  if (!isa<VectorType>(sum.getType()))
    return sum;
  if (isMax)
    return b.create<LLVM::vector_reduce_fmax>(loc, b.getF32Type(), sum,
                                              LLVM::FastmathFlags::nnan | LLVM::FastmathFlags::nsz);
  return b.create<LLVM::vector_reduce_fadd>(loc, b.getF32Type(), real(0, b.getF32Type()), sum,
                                            LLVM::FastmathFlags::reassoc);
}

// The polynomial with these coefficients, from the constant on.
Value KernelLowering::horner(ArrayRef<double> coefficients, Value x) {
  Value p = real(coefficients.back(), x.getType());
  for (double c : llvm::reverse(coefficients.drop_back()))
    p = fma(p, x, real(c, x.getType()));
  return p;
}

// Minimax fit of 2^x on [-1/2, 1/2]: relative error 2.6e-9 with p(0) = 1, so that 2^0 is exact.
static constexpr double exp2Centred[] = {
    1, 0.69314721497, 0.24022652783, 0.05550310551, 0.009617692973, 0.0013406643902, 0.00015594678161};
// Added to x, leaves round(x) in the low bits of the sum: 1.5 * 2^23.
static constexpr double roundingMagic = 12582912;

// 2^(x + low), where low is at most a rounding of x. AVX-512: f = x - floor(x) by vreduceps, a polynomial on [0, 1), vscalefps by floor(x): underflow, overflow and
// NaN come right by themselves. Elsewhere: rounding by a magic number, a polynomial on [-1/2, 1/2], the exponent added
// to the bits; x is clamped to [-127, 128) and scaled in two steps, so that results saturate to 0 and infinity.
// The coefficients on [0, 1) are a minimax fit with p(0) = 1, too: 2.0e-9.
Value KernelLowering::exp2(Value x, Value low) {
  Type type = x.getType();
  auto withLow = [&](Value f) { return low ? Value(b.create<arith::AddFOp>(loc, f, low)) : f; };
  auto vector = dyn_cast<VectorType>(type);
  if (!vector) {
    Value lanes = exp2(broadcast(x, target.lanes), low ? broadcast(low, target.lanes) : low);
    Value zero = b.create<LLVM::ConstantOp>(loc, b.getI32Type(), b.getI32IntegerAttr(0));
    return b.create<LLVM::ExtractElementOp>(loc, lanes, zero);
  }
  if (target.hasScalef && vector.getDimSize(0) == 16) {
    Value all = b.create<LLVM::ConstantOp>(loc, b.getI16Type(), b.getI16IntegerAttr(-1));
    Value floorMode = b.create<LLVM::ConstantOp>(loc, b.getI32Type(), b.getI32IntegerAttr(9)); // floor, no exceptions
    Value current = b.create<LLVM::ConstantOp>(loc, b.getI32Type(), b.getI32IntegerAttr(4));   // current rounding
    auto call = [&](StringRef name, ValueRange operands) -> Value {
      return b.create<LLVM::CallIntrinsicOp>(loc, type, b.getStringAttr(name), operands).getResult(0);
    };
    Value f = withLow(call("llvm.x86.avx512.mask.reduce.ps.512", {x, floorMode, x, all, current}));
    Value p =
        horner({1, 0.69314704444, 0.24022930555, 0.05548528062, 0.0096754515652, 0.0012467846451, 0.0002161291497}, f);
    return call("llvm.x86.avx512.mask.scalef.ps.512", {p, x, p, all, current});
  }
  Type integers = VectorType::get(vector.getShape(), b.getI32Type());
  auto constant = [&](int32_t value) -> Value {
    return b.create<arith::ConstantOp>(loc, DenseElementsAttr::get(cast<VectorType>(integers), value));
  };
  auto bits = [&](Value v) -> Value { return b.create<LLVM::BitcastOp>(loc, integers, v); };
  auto floats = [&](Value v) -> Value { return b.create<LLVM::BitcastOp>(loc, type, v); };
  Value magic = real(roundingMagic, type);
  Value least = real(-160, type), most = real(160, type);
  Value below = compare(arith::CmpFPredicate::OLT, x, least), above = compare(arith::CmpFPredicate::OGT, x, most);
  Value clamped = choose(below, least, choose(above, most, x)); // NaN passes
  Value shifted = b.create<arith::AddFOp>(loc, clamped, magic);
  Value f = withLow(b.create<arith::SubFOp>(loc, clamped, b.create<arith::SubFOp>(loc, shifted, magic)));
  Value p = horner(exp2Centred, f);
  // 2^n in two halves keeps every factor a normal number for |n| <= 160.
  Value n = b.create<arith::SubIOp>(loc, bits(shifted), constant(0x4b400000));
  Value half = b.create<arith::ShRSIOp>(loc, n, constant(1));
  Value rest = b.create<arith::SubIOp>(loc, n, half);
  auto power = [&](Value e) {
    return floats(b.create<arith::ShLIOp>(loc, b.create<arith::AddIOp>(loc, e, constant(127)), constant(23)));
  };
  return b.create<arith::MulFOp>(loc, b.create<arith::MulFOp>(loc, p, power(half)), power(rest));
}

// The magic number carries the exponent's bias, so that shifting the sum's low bits gives 2^n, and 0 for n = -127: what
// lies below 2^-126 becomes 0, and NaN stays NaN.
Value KernelLowering::boundedExp2(Value x) {
  auto type = dyn_cast<VectorType>(x.getType());
  if (!type || target.hasScalef)
    return exp2(x);
  Type integers = like(x, b.getI32Type());
  Value magic = real(roundingMagic + 127, type);
  Value clamped = maximum(real(-127, type), x);
  Value shifted = b.create<arith::AddFOp>(loc, clamped, magic);
  Value f = b.create<arith::SubFOp>(loc, clamped, b.create<arith::SubFOp>(loc, shifted, magic));
  Value power = b.create<arith::ShLIOp>(loc, b.create<LLVM::BitcastOp>(loc, integers, shifted), integer(23, x));
  return b.create<arith::MulFOp>(loc, horner(exp2Centred, f), b.create<LLVM::BitcastOp>(loc, type, power));
}

// log2(x) = exponent + log2(m) with m in [sqrt 1/2, sqrt 2); ln(m) = 2 atanh((m - 1)/(m + 1)), whose five terms leave
// 4e-10. Meaningful for normal x > 0.
KernelLowering::Log KernelLowering::splitLog(Value x) {
  Type type = x.getType(), integers = like(x, b.getI32Type());
  Value bits = b.create<LLVM::BitcastOp>(loc, integers, x);
  Value shifted = b.create<arith::SubIOp>(loc, bits, integer(0x3f3504f3, x)); // sqrt 1/2
  Value exponent = b.create<arith::ShRSIOp>(loc, shifted, integer(23, x));
  Value mantissa = b.create<LLVM::BitcastOp>(
      loc, type,
      b.create<arith::SubIOp>(loc, bits, b.create<arith::ShLIOp>(loc, exponent, integer(23, x))).getResult());
  Value one = real(1, type);
  Value s = b.create<arith::DivFOp>(loc, b.create<arith::SubFOp>(loc, mantissa, one),
                                    b.create<arith::AddFOp>(loc, mantissa, one));
  Value series = horner({2, 2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9}, b.create<arith::MulFOp>(loc, s, s));
  return {b.create<arith::SIToFPOp>(loc, type, exponent), b.create<arith::MulFOp>(loc, s, series)};
}

// A logarithm of x with what the formula misses: 0 gives -inf, +inf itself, the negative and NaN give NaN.
Value KernelLowering::logOfSpecial(Value x, Value log) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Type type = x.getType();
  Value zero = real(0, type), high = real(infinity, type);
  log = choose(compare(arith::CmpFPredicate::OEQ, x, high), high, log);
  log = choose(compare(arith::CmpFPredicate::OEQ, x, zero), real(-infinity, type), log);
  return choose(compare(arith::CmpFPredicate::ULT, x, zero), real(std::numeric_limits<double>::quiet_NaN(), type), log);
}

Value KernelLowering::log2(Value x) {
  Log log = splitLog(x);
  Value fraction = b.create<arith::MulFOp>(loc, log.fraction, real(1 / M_LN2, x.getType()));
  return logOfSpecial(x, b.create<arith::AddFOp>(loc, log.exponent, fraction));
}
