// arith and math: index and float arithmetic, one expression per op. Unnamed constants are literals, named ones
// constants.
#include "KernelPrinter.h"

#include "tercet/compiler/cuda/GpuLowering.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace tercet::compiler {

namespace {

std::string floatLiteral(double value, bool single) {
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
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return std::to_string(integer.getInt());
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

// Ordered comparisons, false on NaN, are C++'s; != is the one that is true.
const char *comparison(arith::CmpFPredicate predicate) {
  switch (predicate) {
  case arith::CmpFPredicate::OEQ:
    return "==";
  case arith::CmpFPredicate::OLT:
    return "<";
  case arith::CmpFPredicate::OLE:
    return "<=";
  case arith::CmpFPredicate::OGT:
    return ">";
  case arith::CmpFPredicate::OGE:
    return ">=";
  case arith::CmpFPredicate::UNE:
    return "!=";
  default:
    return nullptr;
  }
}

} // namespace

bool KernelPrinter::printScalar(Operation *op) {
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

// Indices are not negative, so unsigned ops are printed as the signed ones of `index`.
bool KernelPrinter::printIndexArithmetic(Operation *op) {
  auto binary = [&](const char *format) {
    Value result = op->getResult(0);
    return define(result, "value", typeOf(result.getType()),
                  fmt::format(fmt::runtime(format), ref(op->getOperand(0)), ref(op->getOperand(1))));
  };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](arith::AddIOp) { return binary("{} + {}"); })
      .Case([&](arith::SubIOp) { return binary("{} - {}"); })
      .Case([&](arith::MulIOp) { return binary("{} * {}"); })
      .Case<arith::DivUIOp, arith::DivSIOp>([&](auto) { return binary("{} / {}"); })
      .Case<arith::RemUIOp, arith::RemSIOp>([&](auto) { return binary("{} % {}"); })
      .Case<arith::CeilDivUIOp, arith::CeilDivSIOp>([&](auto) { return binary("ceil_div({}, {})"); })
      .Case<arith::MinSIOp, arith::MinUIOp>([&](auto) { return binary("smaller({}, {})"); })
      .Case<arith::MaxSIOp, arith::MaxUIOp>([&](auto) { return binary("larger({}, {})"); })
      .Case([&](arith::AndIOp) { return binary("{} & {}"); })
      .Case([&](arith::OrIOp) { return binary("{} | {}"); })
      .Case([&](arith::XOrIOp) { return binary("{} ^ {}"); })
      .Case([&](arith::IndexCastUIOp cast) {
        std::string type = typeOf(cast.getType());
        return define(cast, "value", type, fmt::format("static_cast<{}>({})", type, ref(cast.getIn())));
      })
      .Case([&](arith::CmpIOp compare) {
        return binary(fmt::format("{{}} {} {{}}", comparison(compare.getPredicate())).c_str());
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
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](arith::AddFOp) { return expression("{} + {}"); })
      .Case([&](arith::SubFOp) { return expression("{} - {}"); })
      .Case([&](arith::MulFOp) { return expression("{} * {}"); })
      .Case([&](arith::DivFOp) { return expression("{} / {}"); })
      .Case([&](arith::NegFOp) { return expression("-{}"); })
      .Case<arith::TruncFOp, arith::ExtFOp>([&](auto) {
        return expression(op->getResult(0).getType().isF32() ? "static_cast<float>({})" : "static_cast<double>({})");
      })
      .Case([&](arith::MaxNumFOp) { return single("fmaxf({}, {})"); })
      .Case([&](arith::MinNumFOp) { return single("fminf({}, {})"); })
      .Case([&](math::FmaOp) { return single("fmaf({}, {}, {})"); })
      .Case([&](math::Exp2Op) { return single("exp2_approx({})"); })
      .Case([&](math::Log2Op) { return single("log2_approx({})"); })
      .Case([&](arith::CmpFOp compare) {
        const char *symbol = comparison(compare.getPredicate());
        return symbol && expression(fmt::format("{{}} {} {{}}", symbol).c_str());
      })
      .Default([](Operation *) { return false; });
}

} // namespace tercet::compiler
