// KernelLowering: functions, control flow and scalar ops.
#include "KernelLowering.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

FailureOr<int64_t> KernelLowering::lower(tkern::KernelOp kernel) {
  Type i64Type = b.getI64Type(), ptr = pointerType();
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {ptr, i64Type, i64Type, i64Type, ptr});
  auto function = b.create<LLVM::LLVMFuncOp>(loc, kernel.getSymName(), type);
  OpBuilder::InsertionGuard guard(b);
  Block *entry = function.addEntryBlock(b);
  b.setInsertionPointToStart(entry);
  scratch = entry->getArgument(4);

  Block &body = kernel.getBody().front();
  for (auto [index, argument] : llvm::enumerate(body.getArguments())) {
    if (index < 3) {
      scalars[argument] = entry->getArgument(1 + index);
      continue;
    }
    Type slot = isa<tkern::PointerType>(argument.getType()) ? Type(ptr)
                : argument.getType().isF64()                ? Type(b.getF64Type())
                                                            : i64Type;
    Value address = b.create<LLVM::GEPOp>(loc, ptr, i64Type, entry->getArgument(0),
                                          ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index - 3)});
    scalars[argument] = b.create<LLVM::LoadOp>(loc, slot, address);
  }
  if (failed(lowerBlock(body)))
    return failure();
  b.create<LLVM::ReturnOp>(loc, ValueRange());
  return scratchBytes;
}

LogicalResult KernelLowering::lowerBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(lowerOp(&op)))
      return failure();
  return success();
}

LogicalResult KernelLowering::lowerOp(Operation *op) {
  if (isa<arith::ArithDialect, math::MathDialect>(op->getDialect())) {
    cloneScalar(op);
    return success();
  }
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<scf::ForOp>([&](auto loop) { return lowerFor(loop); })
      .Case<scf::IfOp>([&](auto branch) { return lowerIf(branch); })
      .Case<tkern::ScratchOp, tkern::ViewOp, tkern::SubviewOp, tkern::SelectViewOp, tkern::IsNullOp, tkern::ReadOp,
            tkern::LoadOp, tkern::StoreOp, tkern::MatmulOp, tkern::AccumulateOp, tkern::SplatOp, tkern::MapOp,
            tkern::MapPairsOp, tkern::ElementOp, tkern::ReduceOp, tkern::AnyOp, tkern::WriteOp, tkern::SoftmaxStepOp,
            tkern::SoftmaxInPlaceOp>([&](auto known) {
        lower(known);
        return success();
      })
      .Default([](Operation *other) { return other->emitOpError("has no lowering to a CPU"); });
}

Type KernelLowering::scalarType(Type type) { return isa<IndexType>(type) ? Type(b.getI64Type()) : type; }

// arith and math ops on scalars: on index the same op on i64, on f32, i32 and i1 as in bodies; an index cast becomes an
// extension, a truncation or nothing.
void KernelLowering::cloneScalar(Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    TypedAttr value = constant.getValue();
    if (isa<IndexType>(constant.getType()))
      value = b.getI64IntegerAttr(cast<IntegerAttr>(value).getInt());
    scalars[constant] = b.create<arith::ConstantOp>(loc, value);
    return;
  }
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(mapped(operand));
  Value result = op->getResult(0);
  Type type = scalarType(result.getType());
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op))
    scalars[result] = resized(operands[0], type, /*isSigned=*/isa<arith::IndexCastOp>(op));
  else if (isa<arith::FloorDivSIOp, arith::CeilDivSIOp>(op) && isa<IndexType>(result.getType()))
    scalars[result] = roundedQuotient(operands[0], operands[1], b.create<arith::DivSIOp>(loc, operands[0], operands[1]),
                                      /*up=*/isa<arith::CeilDivSIOp>(op));
  else if (isa<IndexType>(result.getType()))
    scalars[result] = b.create(loc, op->getName().getIdentifier(), operands, type, op->getAttrs())->getResult(0);
  else
    scalars[result] = elementwise(op, operands);
}

Value KernelLowering::resized(Value in, Type to, bool isSigned) {
  unsigned from = in.getType().getIntOrFloatBitWidth(), wide = to.getIntOrFloatBitWidth();
  if (from == wide)
    return in;
  if (from > wide)
    return b.create<arith::TruncIOp>(loc, to, in);
  return isSigned ? Value(b.create<arith::ExtSIOp>(loc, to, in)) : Value(b.create<arith::ExtUIOp>(loc, to, in));
}

// Values carried through control flow: a tile is carried as its vectors.
Vectors KernelLowering::flatten(ValueRange values) {
  Vectors flat;
  for (Value value : values) {
    if (isa<tkern::TileType>(value.getType()))
      llvm::append_range(flat, tiles.find(value)->second);
    else
      flat.push_back(mapped(value));
  }
  return flat;
}

void KernelLowering::bind(ValueRange values, ArrayRef<Value> flat) {
  for (Value value : values) {
    if (auto tile = dyn_cast<tkern::TileType>(value.getType())) {
      size_t count = vectorsOf(tile);
      tiles[value] = Vectors(flat.take_front(count));
      flat = flat.drop_front(count);
    } else {
      scalars[value] = flat.front();
      flat = flat.drop_front();
    }
  }
}

LogicalResult KernelLowering::lowerFor(scf::ForOp op) {
  auto loop = b.create<scf::ForOp>(loc, mapped(op.getLowerBound()), mapped(op.getUpperBound()), mapped(op.getStep()),
                                   flatten(op.getInitArgs()));
  scalars[op.getInductionVar()] = loop.getInductionVar();
  bind(op.getRegionIterArgs(), Vectors(loop.getRegionIterArgs()));
  OpBuilder::InsertionGuard guard(b);
  bool carries = !op.getInitArgs().empty();
  if (carries)
    b.setInsertionPointToEnd(loop.getBody());
  else
    b.setInsertionPoint(loop.getBody()->getTerminator());
  if (failed(lowerBlock(*op.getBody())))
    return failure();
  if (carries)
    b.create<scf::YieldOp>(loc, flatten(cast<scf::YieldOp>(op.getBody()->getTerminator()).getOperands()));
  bind(op.getResults(), Vectors(loop.getResults()));
  return success();
}

LogicalResult KernelLowering::lowerIf(scf::IfOp op) {
  SmallVector<Type> types;
  for (Type type : op.getResultTypes()) {
    if (isa<tkern::ViewType>(type))
      return op.emitOpError("yields ") << type << ", which a branch cannot on a CPU";
    if (auto tile = dyn_cast<tkern::TileType>(type))
      types.append(vectorsOf(tile), partType(lanesOf(tile.getCols())));
    else
      types.push_back(scalarType(type));
  }
  bool hasElse = !op.getElseRegion().empty();
  auto branch = b.create<scf::IfOp>(loc, types, mapped(op.getCondition()), /*addThenBlock=*/true, hasElse);
  for (auto [from, to] : llvm::zip(op.getRegions(), branch->getRegions())) {
    if (from->empty())
      continue;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&to.front());
    if (failed(lowerBlock(from->front())))
      return failure();
    b.create<scf::YieldOp>(loc, flatten(cast<scf::YieldOp>(from->front().getTerminator()).getOperands()));
  }
  bind(op.getResults(), Vectors(branch.getResults()));
  return success();
}
