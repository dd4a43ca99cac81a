// Regions over pairs: the ops that they may hold. The list is what every target evaluates with the meaning of
// docs/spec.md#regions; another op is an entry here and in each target.
#include "Regions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tercet::ir;

static bool isPairType(Type type) {
  return type.isF32() || type.isIndex() || type.isSignlessInteger(32) || type.isSignlessInteger(1);
}

static bool isPairOp(Operation *op) {
  return isa<arith::ConstantOp, arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivSIOp, arith::RemSIOp,
             arith::FloorDivSIOp, arith::CeilDivSIOp, arith::MinSIOp, arith::MaxSIOp, arith::AndIOp, arith::OrIOp,
             arith::XOrIOp, arith::ShLIOp, arith::ShRSIOp, arith::CmpIOp, arith::SelectOp, arith::IndexCastOp,
             arith::SIToFPOp, arith::FPToSIOp>(op) ||
         isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::NegFOp, arith::MaximumFOp,
             arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp, arith::CmpFOp>(op) ||
         isa<math::ExpOp, math::Exp2Op, math::LogOp, math::Log2Op, math::TanhOp, math::SqrtOp, math::RsqrtOp,
             math::AbsFOp, math::AbsIOp, math::FloorOp, math::CeilOp, math::FmaOp>(op) ||
         isa<ReadOp, ValueOp, ExtentOp, YieldOp>(op);
}

// Whether an op leaves i1 alone, or means the same whatever number a truth value is taken for.
static bool takesTruthValues(Operation *op) {
  auto isTruth = [](Value value) { return value.getType().isSignlessInteger(1); };
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return !isTruth(compare.getLhs()) || compare.getPredicate() == arith::CmpIPredicate::eq ||
           compare.getPredicate() == arith::CmpIPredicate::ne;
  if (isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::SelectOp, YieldOp>(op))
    return true;
  bool makesTruth = isa<arith::ConstantOp, arith::CmpFOp, ValueOp>(op);
  return llvm::none_of(op->getOperands(), isTruth) && (makesTruth || llvm::none_of(op->getResults(), isTruth));
}

LogicalResult tercet::ir::verifySignature(Operation *op, Region &region, TypeRange expected, Type yields,
                                          StringRef label) {
  if (!region.hasOneBlock())
    return op->emitOpError() << label << ": the region needs one block";
  Block &block = region.front();
  if (block.getArgumentTypes() != expected)
    return op->emitOpError() << label << ": the region gets (" << block.getArgumentTypes() << "); expected ("
                             << expected << ")";
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield)
    return op->emitOpError() << label << ": the region ends without tercet.yield";
  if (yield.getValue().getType() != yields)
    return yield.emitOpError() << label << ": yields " << yield.getValue().getType() << "; expected " << yields;
  return success();
}

LogicalResult tercet::ir::verifyPairOps(Operation *op, Region &region, StringRef label) {
  for (Operation &inner : region.front()) {
    if (!isPairOp(&inner))
      return inner.emitOpError()
             << label
             << ": is not an op of regions; these are arithmetic, comparison, select and casts of "
                "arith, exp, exp2, log, log2, tanh, sqrt, rsqrt, absf, absi, floor, ceil and fma of "
                "math, and tercet.read, value and extent (docs/spec.md#regions)";
    for (Type type : inner.getResultTypes())
      if (!isPairType(type))
        return inner.emitOpError() << label << ": makes " << type << "; regions work on f32, index, i32 and i1";
    if (!takesTruthValues(&inner))
      return inner.emitOpError() << label
                                 << ": computes with i1; truth values take andi, ori, xori, cmpi eq and ne, and select";
    for (auto [index, operand] : llvm::enumerate(inner.getOperands())) {
      if (operand.getParentRegion() == &region)
        continue;
      bool reads = isa<ReadOp, ValueOp>(inner) && index == 0;
      if (!reads)
        return inner.emitOpError() << label
                                   << ": takes a value from outside of the region; tables come in by "
                                      "tercet.read, parameters by tercet.value";
    }
  }
  return success();
}
