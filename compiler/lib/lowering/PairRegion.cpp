#include "PairRegion.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static Type kernelType(Type type) { return type.isIndex() ? IntegerType::get(type.getContext(), 32) : type; }

PairRegion::PairRegion(Region &region, PairScope &scope, arith::FastMathFlags flags)
    : body(region.front()), scope(scope), flags(flags) {
  for (Operation &op : llvm::reverse(body)) {
    bool decides = isa<arith::CmpFOp, arith::FPToSIOp, math::FloorOp, math::CeilOp>(op) || deciding.contains(&op);
    for (Value operand : op.getOperands())
      if (Operation *source = operand.getDefiningOp(); decides && source && source->getBlock() == &body)
        deciding.insert(source);
  }
}

bool PairRegion::isReady(Value value) const {
  return value.getParentRegion() != body.getParent() || values.contains(value);
}

void PairRegion::clone(OpBuilder &builder) {
  for (Operation &op : body.without_terminator())
    if (!has(op.getResult(0)) && llvm::all_of(op.getOperands(), [&](Value value) { return isReady(value); }))
      values.map(op.getResult(0), cloneOp(builder, &op));
  invert(builder);
}

void PairRegion::invert(OpBuilder &builder) {
  for (auto division : body.getOps<arith::DivFOp>()) {
    Value divisor = division.getRhs();
    if (has(division) || !has(divisor) || reciprocals.contains(divisor) || !isInexact(division))
      continue;
    Location loc = division.getLoc();
    Value one = builder.create<arith::ConstantOp>(loc, builder.getF32FloatAttr(1));
    reciprocals[divisor] = builder.create<arith::DivFOp>(loc, one, values.lookup(divisor));
  }
}

Value PairRegion::make(OpBuilder &builder, Value ofRegion) {
  if (has(ofRegion))
    return values.lookup(ofRegion);
  Operation *op = ofRegion.getDefiningOp();
  for (Value operand : op->getOperands())
    if (operand.getParentRegion() == body.getParent())
      make(builder, operand);
  Value made = cloneOp(builder, op);
  values.map(ofRegion, made);
  return made;
}

Value PairRegion::cloneOp(OpBuilder &builder, Operation *op) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](ir::ReadOp read) { return cloneRead(builder, read); })
      .Case([&](ir::ValueOp value) { return scope.parameter(builder, ir::paramOf(value.getParam())); })
      .Case([&](ir::ExtentOp extent) { return scope.extent(builder, extent.getExtent()); })
      .Case([&](arith::DivFOp division) { return cloneDivision(builder, division); })
      .Case([&](arith::IndexCastOp cast) { return values.lookup(cast.getIn()); }) // index is i32
      .Case([&](arith::ConstantOp constant) -> Value {
        auto integer = dyn_cast<IntegerAttr>(constant.getValue());
        TypedAttr value = constant.getValue();
        if (integer && integer.getType().isIndex())
          value = builder.getI32IntegerAttr(static_cast<int32_t>(integer.getInt()));
        return builder.create<arith::ConstantOp>(op->getLoc(), value);
      })
      .Default([&](Operation *) -> Value {
        Operation *copy = builder.clone(*op, values);
        if (auto floating = dyn_cast<arith::ArithFastMathInterface>(copy); floating && !deciding.contains(op))
          copy->setAttr(floating.getFastMathAttrName(), arith::FastMathFlagsAttr::get(op->getContext(), flags));
        copy->getResult(0).setType(kernelType(copy->getResult(0).getType()));
        return copy->getResult(0);
      });
}

Value PairRegion::cloneRead(OpBuilder &builder, ir::ReadOp read) {
  Value argument = read.getTable();
  TableView table = scope.table(ir::argumentName(argument), cast<ir::TableType>(argument.getType()));
  SmallVector<Value> indices;
  for (Value index : read.getIndices())
    indices.push_back(values.lookup(index));
  return builder.create<tkern::ElementOp>(read.getLoc(), kernelType(read.getType()), table.base, indices, table.sizes,
                                          table.strides);
}

// Rounded twice where a reciprocal is at hand; else a target may do the same.
Value PairRegion::cloneDivision(OpBuilder &builder, arith::DivFOp division) {
  Value left = values.lookup(division.getLhs());
  if (!isInexact(division))
    return builder.create<arith::DivFOp>(division.getLoc(), left, values.lookup(division.getRhs()));
  if (Value reciprocal = reciprocals.lookup(division.getRhs()))
    return builder.create<arith::MulFOp>(division.getLoc(), left, reciprocal);
  return builder.create<arith::DivFOp>(division.getLoc(), left, values.lookup(division.getRhs()),
                                       arith::FastMathFlags::arcp);
}
