#include "Interpreter.h"

#include "tercet/Status.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <cstdlib>

using namespace mlir;

namespace tercet::test {

void Interpreter::run(Block &block) {
  for (Operation &op : block)
    if (!op.hasTrait<OpTrait::IsTerminator>())
      values[op.getResult(0)] = evaluate(op);
}

static int64_t wrapped(int64_t value) { return static_cast<int32_t>(static_cast<uint64_t>(value)); }

static int64_t floorDivide(int64_t x, int64_t y) { return x / y - (x % y != 0 && (x < 0) != (y < 0)); }

int64_t Interpreter::integerOp(Operation &op, int64_t x, int64_t y) {
  bool isLongShift = y < 0 || y > 31;
  return llvm::TypeSwitch<Operation *, int64_t>(&op)
      .Case([&](arith::AddIOp) { return x + y; })
      .Case([&](arith::SubIOp) { return x - y; })
      .Case([&](arith::MulIOp) { return x * y; })
      .Case([&](arith::DivSIOp) { return y == 0 ? 0 : x / y; })
      .Case([&](arith::RemSIOp) { return y == 0 ? 0 : x % y; })
      .Case([&](arith::FloorDivSIOp) { return y == 0 ? 0 : floorDivide(x, y); })
      .Case([&](arith::CeilDivSIOp) { return y == 0 ? 0 : -floorDivide(-x, y); })
      .Case([&](arith::MinSIOp) { return std::min(x, y); })
      .Case([&](arith::MaxSIOp) { return std::max(x, y); })
      .Case([&](arith::AndIOp) { return x & y; })
      .Case([&](arith::OrIOp) { return x | y; })
      .Case([&](arith::XOrIOp) { return x ^ y; })
      .Case([&](arith::ShLIOp) { return isLongShift ? 0 : x << y; })
      .Case([&](arith::ShRSIOp) { return x >> (isLongShift ? 31 : y); })
      .Case([&](math::AbsIOp) { return std::abs(x); })
      .Case([&](arith::CmpIOp compare) {
        unsigned bits = isa<IndexType>(compare.getLhs().getType()) && width == IndexWidth::kernel ? 64 : 32;
        return arith::applyCmpPredicate(compare.getPredicate(), APInt(bits, static_cast<uint64_t>(x), true),
                                        APInt(bits, static_cast<uint64_t>(y), true));
      })
      .Default([](Operation *) -> int64_t { TERCET_CHECK(false, "an integer op that tests do not know"); });
}

float Interpreter::floatOp(Operation &op, float x, float y) {
  return llvm::TypeSwitch<Operation *, float>(&op)
      .Case([&](arith::AddFOp) { return x + y; })
      .Case([&](arith::SubFOp) { return x - y; })
      .Case([&](arith::MulFOp) { return x * y; })
      .Case([&](arith::DivFOp) { return x / y; })
      .Case([&](arith::NegFOp) { return -x; })
      .Case([&](arith::MaximumFOp) { return std::isnan(x) || std::isnan(y) ? NAN : std::fmax(x, y); })
      .Case([&](arith::MinimumFOp) { return std::isnan(x) || std::isnan(y) ? NAN : std::fmin(x, y); })
      .Case([&](arith::MaxNumFOp) { return std::fmax(x, y); })
      .Case([&](arith::MinNumFOp) { return std::fmin(x, y); })
      .Case([&](math::AbsFOp) { return std::fabs(x); })
      .Case([&](math::FloorOp) { return std::floor(x); })
      .Case([&](math::CeilOp) { return std::ceil(x); })
      .Case([&](math::ExpOp) { return std::exp(x); })
      .Case([&](math::Exp2Op) { return std::exp2(x); })
      .Case([&](math::LogOp) { return std::log(x); })
      .Case([&](math::Log2Op) { return std::log2(x); })
      .Case([&](math::TanhOp) { return std::tanh(x); })
      .Case([&](math::SqrtOp) { return std::sqrt(x); })
      .Case([&](math::RsqrtOp) { return 1 / std::sqrt(x); })
      .Default([](Operation *) -> float { TERCET_CHECK(false, "a float op that tests do not know"); });
}

Number Interpreter::evaluate(Operation &op) {
  SmallVector<Number> in;
  for (Value operand : op.getOperands())
    in.push_back(get(operand));
  Type type = op.getResult(0).getType();
  auto integer = [&](int64_t value) -> Number {
    bool isWide = isa<IndexType>(type) && width == IndexWidth::kernel;
    return {type.isInteger(1) ? value & 1 : isWide ? value : wrapped(value), 0};
  };
  auto first = [&] { return op.getOperand(0).getType().isInteger(1) ? -in[0].integer : in[0].integer; };
  return llvm::TypeSwitch<Operation *, Number>(&op)
      .Case([&](arith::ConstantOp constant) -> Number {
        if (auto real = dyn_cast<FloatAttr>(constant.getValue()))
          return {0, static_cast<float>(real.getValueAsDouble())};
        return integer(cast<IntegerAttr>(constant.getValue()).getValue().getSExtValue());
      })
      .Case([&](arith::SelectOp) { return in[0].integer ? in[1] : in[2]; })
      .Case<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>([&](auto) { return integer(first()); })
      .Case([&](arith::SIToFPOp) -> Number {
        return {0, static_cast<float>(first())};
      })
      .Case([&](arith::CmpFOp compare) {
        return integer(arith::applyCmpPredicate(compare.getPredicate(), APFloat(in[0].real), APFloat(in[1].real)));
      })
      .Default([&](Operation *) -> Number {
        if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect>(op.getDialect()))
          return other(op, in);
        Number none, &x = in[0], &y = in.size() > 1 ? in[1] : none;
        if (isa<math::FmaOp>(op))
          return {0, std::fma(x.real, y.real, in[2].real)};
        if (type.isF32())
          return {0, floatOp(op, x.real, y.real)};
        return integer(integerOp(op, x.integer, y.integer));
      });
}

} // namespace tercet::test
