// One instruction per op, in the region's order; casts between index and i32 are none.
#include "ReadRegion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tercet::reference {
namespace {

using Kind = PairOp::Kind;

/// Ops whose operands are those of the instruction and which say nothing more.
std::optional<Kind> plainKind(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<Kind>>(op)
      .Case([](arith::AddIOp) { return Kind::addI; })
      .Case([](arith::SubIOp) { return Kind::subI; })
      .Case([](arith::MulIOp) { return Kind::mulI; })
      .Case([](arith::DivSIOp) { return Kind::divI; })
      .Case([](arith::RemSIOp) { return Kind::remI; })
      .Case([](arith::FloorDivSIOp) { return Kind::floorDivI; })
      .Case([](arith::CeilDivSIOp) { return Kind::ceilDivI; })
      .Case([](arith::MinSIOp) { return Kind::minI; })
      .Case([](arith::MaxSIOp) { return Kind::maxI; })
      .Case([](arith::AndIOp) { return Kind::andI; })
      .Case([](arith::OrIOp) { return Kind::orI; })
      .Case([](arith::XOrIOp) { return Kind::xorI; })
      .Case([](arith::ShLIOp) { return Kind::shiftLeft; })
      .Case([](arith::ShRSIOp) { return Kind::shiftRight; })
      .Case([](math::AbsIOp) { return Kind::absI; })
      .Case([](arith::SelectOp) { return Kind::select; })
      .Case([](arith::SIToFPOp) { return Kind::toNumber; })
      .Case([](arith::FPToSIOp) { return Kind::toInteger; })
      .Case([](arith::AddFOp) { return Kind::addF; })
      .Case([](arith::SubFOp) { return Kind::subF; })
      .Case([](arith::MulFOp) { return Kind::mulF; })
      .Case([](arith::DivFOp) { return Kind::divF; })
      .Case([](arith::NegFOp) { return Kind::negF; })
      .Case([](arith::MaximumFOp) { return Kind::maximum; })
      .Case([](arith::MinimumFOp) { return Kind::minimum; })
      .Case([](arith::MaxNumFOp) { return Kind::maximumOr; })
      .Case([](arith::MinNumFOp) { return Kind::minimumOr; })
      .Case([](math::ExpOp) { return Kind::exp; })
      .Case([](math::Exp2Op) { return Kind::exp2; })
      .Case([](math::LogOp) { return Kind::log; })
      .Case([](math::Log2Op) { return Kind::log2; })
      .Case([](math::TanhOp) { return Kind::tanh; })
      .Case([](math::SqrtOp) { return Kind::sqrt; })
      .Case([](math::RsqrtOp) { return Kind::rsqrt; })
      .Case([](math::AbsFOp) { return Kind::absF; })
      .Case([](math::FloorOp) { return Kind::floor; })
      .Case([](math::CeilOp) { return Kind::ceil; })
      .Case([](math::FmaOp) { return Kind::fma; })
      .Default([](Operation *) { return std::nullopt; });
}

PairOp compareIntegers(arith::CmpIPredicate predicate) {
  using P = arith::CmpIPredicate;
  bool isUnsigned = predicate == P::ult || predicate == P::ule || predicate == P::ugt || predicate == P::uge;
  PairOp op{.kind = isUnsigned ? Kind::compareUnsigned : Kind::compareSigned};
  switch (predicate) {
  case P::eq:
    op.outcomes = equalBit;
    break;
  case P::ne:
    op.outcomes = lessBit | greaterBit;
    break;
  case P::slt:
  case P::ult:
    op.outcomes = lessBit;
    break;
  case P::sle:
  case P::ule:
    op.outcomes = lessBit | equalBit;
    break;
  case P::sgt:
  case P::ugt:
    op.outcomes = greaterBit;
    break;
  case P::sge:
  case P::uge:
    op.outcomes = greaterBit | equalBit;
    break;
  }
  return op;
}

PairOp compareNumbers(arith::CmpFPredicate predicate) {
  using P = arith::CmpFPredicate;
  auto outcomes = [&]() -> int {
    switch (predicate) {
    case P::AlwaysFalse:
      return 0;
    case P::OEQ:
      return equalBit;
    case P::OGT:
      return greaterBit;
    case P::OGE:
      return greaterBit | equalBit;
    case P::OLT:
      return lessBit;
    case P::OLE:
      return lessBit | equalBit;
    case P::ONE:
      return lessBit | greaterBit;
    case P::ORD:
      return lessBit | equalBit | greaterBit;
    case P::UEQ:
      return unorderedBit | equalBit;
    case P::UGT:
      return unorderedBit | greaterBit;
    case P::UGE:
      return unorderedBit | greaterBit | equalBit;
    case P::ULT:
      return unorderedBit | lessBit;
    case P::ULE:
      return unorderedBit | lessBit | equalBit;
    case P::UNE:
      return unorderedBit | lessBit | greaterBit;
    case P::UNO:
      return unorderedBit;
    case P::AlwaysTrue:
      return unorderedBit | lessBit | equalBit | greaterBit;
    }
    return 0;
  };
  return {.kind = Kind::compareF, .outcomes = static_cast<uint8_t>(outcomes())};
}

PairOp readConstant(arith::ConstantOp constant) {
  if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
    return {.kind = Kind::number, .value = {.value = number.getValueAsDouble()}};
  if (auto flag = dyn_cast<BoolAttr>(constant.getValue()))
    return {.kind = Kind::integer, .value = {.value = flag.getValue() ? 1.0 : 0.0}};
  int64_t value = cast<IntegerAttr>(constant.getValue()).getInt();
  return {.kind = Kind::integer, .value = {.value = static_cast<double>(static_cast<int32_t>(value))}};
}

ExtentOf extentOf(ir::Extent extent) {
  switch (extent) {
  case ir::Extent::Query:
    return ExtentOf::query;
  case ir::Extent::Key:
    return ExtentOf::key;
  case ir::Extent::Head:
    return ExtentOf::head;
  case ir::Extent::KvHead:
    return ExtentOf::kvHead;
  }
  return ExtentOf::query;
}

class RegionReader {
public:
  explicit RegionReader(const TableIndices &tables) : tables(tables) {}

  Result<PairProgram> read(Block &block) {
    // A score comes first in the region and last among the registers.
    unsigned indices = block.getNumArguments() - 4;
    for (BlockArgument argument : block.getArguments())
      registerOf[argument] = argument.getArgNumber() < indices ? int(PairProgram::score)
                                                               : static_cast<int>(argument.getArgNumber() - indices);
    for (Operation &op : block) {
      if (auto yield = dyn_cast<ir::YieldOp>(op))
        program.result = registerOf.lookup(yield.getValue());
      else
        TERCET_RETURN_IF_ERROR(readOp(op));
    }
    return std::move(program);
  }

private:
  const TableIndices &tables;
  PairProgram program;
  llvm::DenseMap<Value, int> registerOf;

  Status readOp(Operation &op) {
    if (auto cast = dyn_cast<arith::IndexCastOp>(op)) {
      registerOf[cast.getOut()] = registerOf.lookup(cast.getIn());
      return {};
    }
    PairOp pairOp;
    ValueRange operands = op.getOperands();
    if (std::optional<Kind> kind = plainKind(&op)) {
      pairOp.kind = *kind;
    } else if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      pairOp = readConstant(constant);
    } else if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
      pairOp = compareIntegers(compare.getPredicate());
    } else if (auto compare = dyn_cast<arith::CmpFOp>(op)) {
      pairOp = compareNumbers(compare.getPredicate());
    } else if (auto read = dyn_cast<ir::ReadOp>(op)) {
      pairOp.kind = read.getElement().getType().isF32() ? Kind::readNumber : Kind::readInteger;
      pairOp.table = tables.at(ir::argumentName(read.getTable()));
      operands = read.getIndices();
    } else if (auto value = dyn_cast<ir::ValueOp>(op)) {
      pairOp.kind = value.getResult().getType().isF32() ? Kind::number : Kind::integer;
      pairOp.value = readNumber(value.getParam(), 0);
      operands = {};
    } else if (auto extent = dyn_cast<ir::ExtentOp>(op)) {
      pairOp.kind = Kind::extent;
      pairOp.extent = extentOf(extent.getExtent());
    } else {
      return Status::make(Code::invalidSpec, "the oracle has no meaning for {} in a region",
                          op.getName().getStringRef().str());
    }
    for (auto [index, operand] : llvm::enumerate(operands))
      pairOp.operands[index] = registerOf.lookup(operand);
    registerOf[op.getResult(0)] = PairProgram::firstOp + static_cast<int>(program.ops.size());
    program.ops.push_back(std::move(pairOp));
    return {};
  }
};

} // namespace

Number readNumber(Value operand, double whenAbsent) {
  ir::ParamOp param = ir::paramOf(operand);
  if (!param)
    return {.value = whenAbsent};
  Number number{.parameter = param.getName().str(), .isAuto = param.isAuto(), .isRuntime = !param.isStatic()};
  if (number.isAuto)
    return number;
  switch (param.getKind()) {
  case ir::ParamKind::Float:
    number.value = param.getFloat();
    break;
  case ir::ParamKind::Integer:
    number.value = static_cast<double>(param.getInteger());
    break;
  case ir::ParamKind::Flag:
    number.value = param.getFlag();
    break;
  case ir::ParamKind::Keyword:
    break;
  }
  return number;
}

Result<PairProgram> readRegion(Region &region, const TableIndices &tables) {
  return RegionReader(tables).read(region.front());
}

} // namespace tercet::reference
