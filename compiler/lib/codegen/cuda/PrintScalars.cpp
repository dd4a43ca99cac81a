// arith and math: index and float arithmetic, one expression per op. Unnamed constants are literals, named ones
// constants.
#include "KernelPrinter.h"

#include "tercet/compiler/cuda/GpuLowering.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace tercet::compiler {

namespace {

std::string floatLiteral(double value, bool single) {
  if (std::isnan(value))
    return "not_a_number()";
  if (std::isinf(value))
    return value > 0 ? "infinity()" : "-infinity()";
  std::string digits = single ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
  if (digits.find_first_of(".en") == std::string::npos)
    digits += ".0";
  return digits + (single ? "f" : "");
}

std::string literalOf(Attribute value) {
  if (auto flag = dyn_cast<BoolAttr>(value))
    return flag.getValue() ? "true" : "false";
  if (auto integer = dyn_cast<IntegerAttr>(value)) {
    if (!integer.getType().isInteger(32))
      return std::to_string(integer.getInt());
    bool isLeast = integer.getInt() == std::numeric_limits<int32_t>::min(); // no literal of C++
    return isLeast ? "Int(0x80000000u)" : fmt::format("Int({})", integer.getInt());
  }
  auto number = cast<FloatAttr>(value);
  return floatLiteral(number.getValueAsDouble(), number.getType().isF32());
}

const char *comparison(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return "==";
  case arith::CmpIPredicate::ne:
    return "!=";
  case arith::CmpIPredicate::slt:
  case arith::CmpIPredicate::ult:
    return "<";
  case arith::CmpIPredicate::sle:
  case arith::CmpIPredicate::ule:
    return "<=";
  case arith::CmpIPredicate::sgt:
  case arith::CmpIPredicate::ugt:
    return ">";
  case arith::CmpIPredicate::sge:
  case arith::CmpIPredicate::uge:
    return ">=";
  }
  return nullptr;
}

bool isUnsigned(arith::CmpIPredicate predicate) {
  return predicate == arith::CmpIPredicate::ult || predicate == arith::CmpIPredicate::ule ||
         predicate == arith::CmpIPredicate::ugt || predicate == arith::CmpIPredicate::uge;
}

// C++'s comparisons are ordered, false on NaN; != is the one that is true. An unordered one is the opposite negated.
const char *comparison(arith::CmpFPredicate predicate) {
  switch (predicate) {
  case arith::CmpFPredicate::AlwaysFalse:
    return "false";
  case arith::CmpFPredicate::OEQ:
    return "{0} == {1}";
  case arith::CmpFPredicate::OGT:
    return "{0} > {1}";
  case arith::CmpFPredicate::OGE:
    return "{0} >= {1}";
  case arith::CmpFPredicate::OLT:
    return "{0} < {1}";
  case arith::CmpFPredicate::OLE:
    return "{0} <= {1}";
  case arith::CmpFPredicate::ONE:
    return "{0} < {1} || {0} > {1}";
  case arith::CmpFPredicate::ORD:
    return "{0} == {0} && {1} == {1}";
  case arith::CmpFPredicate::UEQ:
    return "!({0} < {1} || {0} > {1})";
  case arith::CmpFPredicate::UGT:
    return "!({0} <= {1})";
  case arith::CmpFPredicate::UGE:
    return "!({0} < {1})";
  case arith::CmpFPredicate::ULT:
    return "!({0} >= {1})";
  case arith::CmpFPredicate::ULE:
    return "!({0} > {1})";
  case arith::CmpFPredicate::UNE:
    return "{0} != {1}";
  case arith::CmpFPredicate::UNO:
    return "{0} != {0} || {1} != {1}";
  case arith::CmpFPredicate::AlwaysTrue:
    return "true";
  }
  return nullptr;
}

} // namespace

bool KernelPrinter::printScalar(Operation *op) {
  if (llvm::any_of(op->getResultTypes(), [](Type type) { return type.isInteger(32); }))
    use("pair.cuh");
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    std::string literal = literalOf(constant.getValue());
    if (nameOf(constant).empty())
      names[constant] = literal;
    else
      code.line("constexpr {} {} = {};", typeOf(constant.getType()), declare(constant, ""), literal);
    return true;
  }
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return define(select, "chosen", typeOf(select.getType()),
                  fmt::format("{} ? {} : {}", ref(select.getCondition()), ref(select.getTrueValue()),
                              ref(select.getFalseValue())));
  return printIndexArithmetic(op) || printFloatArithmetic(op);
}

// `index` is not negative where an op is unsigned, so the signed one is printed; divisions are of 32 bits. Int has the
// meaning of regions; an i1 is a number of one bit there.
bool KernelPrinter::printIndexArithmetic(Operation *op) {
  bool isBit = op->getNumOperands() > 0 && op->getOperand(0).getType().isInteger(1);
  bool isIndex = op->getNumResults() > 0 && op->getResult(0).getType().isIndex();
  auto binary = [&](const std::string &format, const char *operand = "{}") {
    Value result = op->getResult(0);
    auto text = [&](unsigned number) { return fmt::format(fmt::runtime(operand), ref(op->getOperand(number))); };
    return define(result, "value", typeOf(result.getType()), fmt::format(fmt::runtime(format), text(0), text(1)));
  };
  auto arithmetic = [&](const char *format) {
    return isBit ? binary(fmt::format("static_cast<bool>({})", format), "Int({})") : binary(format);
  };
  auto convert = [&] {
    Value result = op->getResult(0);
    std::string type = typeOf(result.getType());
    return define(result, "value", type, fmt::format("static_cast<{}>({})", type, ref(op->getOperand(0))));
  };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](arith::AddIOp) { return arithmetic("{} + {}"); })
      .Case([&](arith::SubIOp) { return arithmetic("{} - {}"); })
      .Case([&](arith::MulIOp) { return arithmetic("{} * {}"); })
      .Case([&](arith::DivUIOp) { return isIndex && binary("quotient({}, {})"); })
      .Case([&](arith::RemUIOp) { return isIndex && binary("remainder({}, {})"); })
      .Case([&](arith::DivSIOp) { return arithmetic(isIndex ? "signed_quotient({}, {})" : "{} / {}"); })
      .Case([&](arith::RemSIOp) { return !isIndex && arithmetic("{} % {}"); })
      .Case([&](arith::FloorDivSIOp) { return arithmetic("floor_div({}, {})"); })
      .Case([&](arith::CeilDivUIOp) { return isIndex && binary("ceil_div({}, {})"); })
      .Case([&](arith::CeilDivSIOp) { return arithmetic(isIndex ? "signed_ceil_div({}, {})" : "ceil_div({}, {})"); })
      .Case<arith::MinSIOp, arith::MinUIOp>([&](auto) { return arithmetic("smaller({}, {})"); })
      .Case<arith::MaxSIOp, arith::MaxUIOp>([&](auto) { return arithmetic("larger({}, {})"); })
      .Case([&](arith::ShLIOp) { return arithmetic("{} << {}"); })
      .Case([&](arith::ShRSIOp) { return arithmetic("{} >> {}"); })
      .Case([&](arith::AndIOp) { return binary("{} & {}"); })
      .Case([&](arith::OrIOp) { return binary("{} | {}"); })
      .Case([&](arith::XOrIOp) { return binary("{} ^ {}"); })
      .Case<arith::IndexCastUIOp, arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>([&](auto) { return convert(); })
      .Case([&](arith::CmpIOp compare) {
        std::string format = fmt::format("{{}} {} {{}}", comparison(compare.getPredicate()));
        bool unsignedInts = isUnsigned(compare.getPredicate()) && !compare.getLhs().getType().isIndex();
        return binary(format, unsignedInts ? "static_cast<u32>({})" : isBit ? "Int({})" : "{}");
      })
      .Default([](Operation *) { return false; });
}

bool KernelPrinter::printFloatArithmetic(Operation *op) {
  auto expression = [&](const char *format) {
    Value result = op->getResult(0);
    Value third = op->getNumOperands() > 2 ? op->getOperand(2) : op->getOperand(0);
    Value second = op->getNumOperands() > 1 ? op->getOperand(1) : op->getOperand(0);
    return define(result, "value", typeOf(result.getType()),
                  fmt::format(fmt::runtime(format), ref(op->getOperand(0)), ref(second), ref(third)));
  };
  auto single = [&](const char *format) { return op->getResult(0).getType().isF32() && expression(format); };
  // C++'s operators may become parts of fused ones.
  auto rounded = [&](const char *format, const char *alone) {
    auto flags = cast<arith::ArithFastMathInterface>(op).getFastMathFlagsAttr().getValue();
    bool fuses = bitEnumContainsAny(flags, arith::FastMathFlags::contract) || !op->getResult(0).getType().isF32();
    return expression(fuses ? format : alone);
  };
  auto ofPairs = [&](const char *format) {
    use("pair.cuh");
    return single(format);
  };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](arith::AddFOp) { return rounded("{} + {}", "__fadd_rn({}, {})"); })
      .Case([&](arith::SubFOp) { return rounded("{} - {}", "__fsub_rn({}, {})"); })
      .Case([&](arith::MulFOp) { return rounded("{} * {}", "__fmul_rn({}, {})"); })
      .Case([&](arith::DivFOp division) {
        bool approximate = bitEnumContainsAny(division.getFastmath(), arith::FastMathFlags::arcp);
        return approximate ? ofPairs("divide({}, {})") : expression("{} / {}");
      })
      .Case([&](arith::NegFOp) { return expression("-{}"); })
      .Case<arith::TruncFOp, arith::ExtFOp>([&](auto) {
        return expression(op->getResult(0).getType().isF32() ? "static_cast<float>({})" : "static_cast<double>({})");
      })
      .Case([&](arith::MaxNumFOp) { return single("fmaxf({}, {})"); })
      .Case([&](arith::MinNumFOp) { return single("fminf({}, {})"); })
      .Case([&](arith::MaximumFOp) { return ofPairs("maximum({}, {})"); })
      .Case([&](arith::MinimumFOp) { return ofPairs("minimum({}, {})"); })
      .Case([&](arith::BitcastOp cast) {
        return cast.getIn().getType().isInteger(32) && single("bits_of({})"); // what else has bits is not of regions
      })
      .Case([&](arith::SIToFPOp cast) {
        return single(cast.getIn().getType().isInteger(1) ? "static_cast<float>(Int({}))" : "static_cast<float>({})");
      })
      .Case([&](arith::FPToSIOp cast) {
        use("pair.cuh");
        return expression(cast.getType().isInteger(1) ? "static_cast<bool>(to_int({}))" : "to_int({})");
      })
      .Case([&](math::FmaOp) { return single("fmaf({}, {}, {})"); })
      .Case([&](math::ExpOp) { return single("exponential({})"); })
      .Case([&](math::Exp2Op) { return single("exp2_approx({})"); })
      .Case([&](math::LogOp) { return single("logf({})"); })
      .Case([&](math::Log2Op log) {
        return single(bitEnumContainsAny(log.getFastmath(), arith::FastMathFlags::afn) ? "log2_approx({})"
                                                                                       : "log2f({})");
      })
      .Case([&](math::TanhOp) { return ofPairs("hyperbolic_tangent({})"); })
      .Case([&](math::SqrtOp) { return ofPairs("square_root({})"); })
      .Case([&](math::RsqrtOp) { return ofPairs("inverse_root({})"); })
      .Case([&](math::AbsFOp) { return single("fabsf({})"); })
      .Case([&](math::FloorOp) { return single("floorf({})"); })
      .Case([&](math::CeilOp) { return single("ceilf({})"); })
      .Case([&](math::AbsIOp) { return expression("magnitude({})"); })
      .Case([&](arith::CmpFOp compare) { return expression(comparison(compare.getPredicate())); })
      .Default([](Operation *) { return false; });
}

} // namespace tercet::compiler
