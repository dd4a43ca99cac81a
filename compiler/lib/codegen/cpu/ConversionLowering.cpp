// 16-bit floats on the CPU, round to nearest even, without library calls. bfloat16 is the upper half of an f32. f16
// uses the processor's conversions, or integer arithmetic where there are none (F16C is part of x86-64-v3).
#include "KernelLowering.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

Value KernelLowering::widen(Value raw, Type type) {
  if (type.isF32())
    return raw;
  if (type.isF16() && target.hasHalf)
    return b.create<LLVM::FPExtOp>(loc, like(raw, b.getF32Type()),
                                   b.create<LLVM::BitcastOp>(loc, like(raw, type), raw));
  Value bits = b.create<arith::ExtUIOp>(loc, like(raw, b.getI32Type()), raw);
  if (type.isF16())
    return widenHalf(bits);
  Value shifted = b.create<arith::ShLIOp>(loc, bits, integer(16, bits));
  return b.create<LLVM::BitcastOp>(loc, like(raw, b.getF32Type()), shifted);
}

Value KernelLowering::narrow(Value vector, Type type) {
  if (type.isF32())
    return vector;
  Type i16 = like(vector, b.getI16Type()), i32 = like(vector, b.getI32Type());
  if (type.isF16() && target.hasHalf)
    return b.create<LLVM::BitcastOp>(loc, i16, b.create<LLVM::FPTruncOp>(loc, like(vector, type), vector));
  if (type.isF16())
    return b.create<arith::TruncIOp>(loc, i16, narrowHalf(vector));
  // bits + 0x7fff + (last kept bit) carries exactly when the rest is over half, or half and odd; NaN keeps its top
  // bits.
  Value bits = b.create<LLVM::BitcastOp>(loc, i32, vector);
  auto constant = [&](int64_t value) { return integer(value, bits); };
  Value upper = b.create<arith::ShRUIOp>(loc, bits, constant(16));
  Value odd = b.create<arith::AndIOp>(loc, upper, constant(1));
  Value rounded = b.create<arith::AddIOp>(loc, b.create<arith::AddIOp>(loc, bits, constant(0x7fff)), odd);
  Value kept = b.create<arith::ShRUIOp>(loc, rounded, constant(16));
  Value isNaN = b.create<arith::CmpFOp>(loc, arith::CmpFPredicate::UNO, vector, vector);
  Value quiet = b.create<arith::OrIOp>(loc, upper, constant(0x40));
  return b.create<arith::TruncIOp>(loc, i16, b.create<arith::SelectOp>(loc, isNaN, quiet, kept));
}

// f16 bits in i32: normals by moving the exponent, subnormals as mantissa * 2^-24, infinities and NaN by a full
// exponent.
Value KernelLowering::widenHalf(Value bits) {
  auto constant = [&](int64_t value) { return integer(value, bits); };
  Type f32 = like(bits, b.getF32Type());
  Value sign = b.create<arith::ShLIOp>(loc, b.create<arith::AndIOp>(loc, bits, constant(0x8000)), constant(16));
  Value exponent = b.create<arith::AndIOp>(loc, bits, constant(0x7c00));
  Value magnitude = b.create<arith::ShLIOp>(loc, b.create<arith::AndIOp>(loc, bits, constant(0x7fff)), constant(13));
  Value normal = b.create<arith::AddIOp>(loc, magnitude, constant((127 - 15) << 23));
  Value special = b.create<arith::OrIOp>(loc, magnitude, constant(0x7f800000));
  Value mantissa = b.create<arith::SIToFPOp>(loc, f32, b.create<arith::AndIOp>(loc, bits, constant(0x3ff)));
  Value small = b.create<LLVM::BitcastOp>(loc, bits.getType(),
                                          b.create<arith::MulFOp>(loc, mantissa, real(0x1p-24, f32)).getResult());
  Value isSmall = b.create<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, exponent, constant(0));
  Value isSpecial = b.create<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, exponent, constant(0x7c00));
  Value chosen =
      b.create<arith::SelectOp>(loc, isSmall, small, b.create<arith::SelectOp>(loc, isSpecial, special, normal));
  return b.create<LLVM::BitcastOp>(loc, f32, b.create<arith::OrIOp>(loc, chosen, sign));
}

// To f16 bits in i32. Below 2^-14 the sum with 0.5 rounds to the subnormal grid; from 65520 on the result is infinite.
Value KernelLowering::narrowHalf(Value vector) {
  Type i32 = like(vector, b.getI32Type()), f32 = vector.getType();
  Value bits = b.create<LLVM::BitcastOp>(loc, i32, vector);
  auto constant = [&](int64_t value) { return integer(value, bits); };
  Value sign = b.create<arith::AndIOp>(loc, b.create<arith::ShRUIOp>(loc, bits, constant(16)), constant(0x8000));
  Value magnitude = b.create<arith::AndIOp>(loc, bits, constant(0x7fffffff));
  Value odd = b.create<arith::AndIOp>(loc, b.create<arith::ShRUIOp>(loc, magnitude, constant(13)), constant(1));
  Value rebased =
      b.create<arith::AddIOp>(loc, b.create<arith::AddIOp>(loc, magnitude, constant(0xfff - ((127 - 15) << 23))), odd);
  Value normal = b.create<arith::ShRUIOp>(loc, rebased, constant(13));
  Value absolute = b.create<LLVM::BitcastOp>(loc, f32, magnitude);
  Value onGrid =
      b.create<LLVM::BitcastOp>(loc, i32, b.create<arith::AddFOp>(loc, absolute, real(0.5, f32)).getResult());
  Value small = b.create<arith::SubIOp>(loc, onGrid, constant(0x3f000000));
  auto from = [&](int64_t limit) {
    return b.create<arith::CmpIOp>(loc, arith::CmpIPredicate::sge, magnitude, constant(limit));
  };
  Value chosen = b.create<arith::SelectOp>(loc, from(0x38800000), normal, small);      // 2^-14
  chosen = b.create<arith::SelectOp>(loc, from(0x477ff000), constant(0x7c00), chosen); // 65520
  chosen = b.create<arith::SelectOp>(loc, from(0x7f800001), constant(0x7e00), chosen); // NaN
  return b.create<arith::OrIOp>(loc, chosen, sign);
}
