// Memory of the CPU target: views are addresses, loads widen to f32 vectors, stores round.
#include "KernelLowering.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

// Scratch of an item: consecutive, 64-byte aligned pieces.
Value KernelLowering::allocate(int64_t bytes) {
  Value address = b.create<LLVM::GEPOp>(loc, pointerType(), b.getI8Type(), scratch,
                                        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(scratchBytes)});
  scratchBytes += (bytes + 63) / 64 * 64;
  return address;
}

Value KernelLowering::element(Value base, Value index, Type type) {
  return b.create<LLVM::GEPOp>(loc, pointerType(), type, base, ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(index)});
}

Address KernelLowering::offset(const Address &address, Value row, Value col, Type type) {
  return {element(address.base, add(mul(row, address.stride), col), type), address.stride};
}

Value KernelLowering::at(const Address &address, int64_t row, int64_t col, Type type) {
  return row == 0 && col == 0 ? address.base : offset(address, i64(row), i64(col), type).base;
}

void KernelLowering::lower(tkern::ScratchOp op) {
  tkern::ViewType type = op.getView().getType();
  int64_t bytes = type.getRows() * type.getStride() * (type.getElementType().getIntOrFloatBitWidth() / 8);
  views[op.getView()] = {allocate(bytes), i64(type.getStride())};
}

void KernelLowering::lower(tkern::ViewOp op) {
  tkern::ViewType type = op.getView().getType();
  Value stride = op.getStride() ? mapped(op.getStride()) : i64(type.getStride());
  views[op.getView()] = {element(mapped(op.getBase()), mapped(op.getOffset()), type.getElementType()), stride};
}

void KernelLowering::lower(tkern::SubviewOp op) {
  views[op.getView()] = offset(views.lookup(op.getSource()), mapped(op.getRow()), mapped(op.getCol()),
                               op.getView().getType().getElementType());
}

void KernelLowering::lower(tkern::SelectViewOp op) {
  Address whenTrue = views.lookup(op.getWhenTrue()), whenFalse = views.lookup(op.getWhenFalse());
  Value condition = mapped(op.getCondition());
  views[op.getView()] = {b.create<LLVM::SelectOp>(loc, condition, whenTrue.base, whenFalse.base),
                         b.createOrFold<arith::SelectOp>(loc, condition, whenTrue.stride, whenFalse.stride)};
}

void KernelLowering::lower(tkern::IsNullOp op) {
  Value null = b.create<LLVM::ZeroOp>(loc, pointerType());
  scalars[op] = b.create<LLVM::ICmpOp>(loc, LLVM::ICmpPredicate::eq, mapped(op.getPointer()), null);
}

void KernelLowering::lower(tkern::ReadOp op) {
  Type type = op.getPointer().getType().getElementType();
  Value raw = b.create<LLVM::LoadOp>(loc, type, element(mapped(op.getPointer()), mapped(op.getIndex()), type));
  if (isa<IndexType>(op.getValue().getType()))
    raw = type.getIntOrFloatBitWidth() < 64 ? Value(b.create<arith::ExtSIOp>(loc, b.getI64Type(), raw)) : raw;
  else
    raw = widen(raw, type);
  scalars[op] = raw;
}

void KernelLowering::lower(tkern::WriteOp op) {
  Type type = op.getPointer().getType().getElementType();
  Value address = element(mapped(op.getPointer()), mapped(op.getIndex()), type);
  b.create<LLVM::StoreOp>(loc, b.create<arith::TruncIOp>(loc, type, mapped(op.getValue())), address);
}

// Lane i of the mask: column `col` + i lies before `cols`.
Value KernelLowering::columnMask(Value cols, int64_t col, int64_t lanes) {
  SmallVector<int64_t> positions;
  for (int64_t i = 0; i < lanes; ++i)
    positions.push_back(col + i);
  auto type = VectorType::get({lanes}, b.getI64Type());
  Value position = b.create<arith::ConstantOp>(loc, DenseIntElementsAttr::get(type, positions));
  return b.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, position, broadcast(cols, lanes));
}

static Type rawType(OpBuilder &b, Type type, int64_t lanes) {
  Type raw = type.isF32() ? type : Type(b.getIntegerType(type.getIntOrFloatBitWidth()));
  return lanes == 1 ? raw : Type(VectorType::get({lanes}, raw));
}

// `lanes` values from an address as f32; one lane is a scalar.
Value KernelLowering::loadVector(Value address, Type type, int64_t lanes, Value mask, Value otherwise) {
  unsigned bytes = type.getIntOrFloatBitWidth() / 8;
  Type raw = rawType(b, type, lanes);
  if (!mask)
    return widen(b.create<LLVM::LoadOp>(loc, raw, address, bytes), type);
  if (lanes == 1) {
    auto branch = b.create<scf::IfOp>(loc, TypeRange(b.getF32Type()), mask, /*withElse=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    b.create<scf::YieldOp>(loc, widen(b.create<LLVM::LoadOp>(loc, raw, address, bytes), type));
    b.setInsertionPointToStart(branch.elseBlock());
    b.create<scf::YieldOp>(loc, otherwise ? otherwise : real(0, b.getF32Type()));
    return branch.getResult(0);
  }
  Value zero = b.create<LLVM::ZeroOp>(loc, raw);
  Value loaded = widen(b.create<LLVM::MaskedLoadOp>(loc, raw, address, mask, ValueRange{zero}, bytes), type);
  return otherwise ? Value(b.create<arith::SelectOp>(loc, mask, loaded, broadcast(otherwise, lanes))) : loaded;
}

void KernelLowering::storeVector(Value vector, Value address, Type type, Value mask) {
  unsigned bytes = type.getIntOrFloatBitWidth() / 8;
  Value raw = narrow(vector, type);
  if (!mask) {
    b.create<LLVM::StoreOp>(loc, raw, address, bytes);
  } else if (isa<VectorType>(vector.getType())) {
    b.create<LLVM::MaskedStoreOp>(loc, raw, address, mask, bytes);
  } else {
    auto branch = b.create<scf::IfOp>(loc, mask, /*withElse=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(branch.thenBlock()->getTerminator());
    b.create<LLVM::StoreOp>(loc, raw, address, bytes);
  }
}

void KernelLowering::lower(tkern::LoadOp op) {
  tkern::TileType tile = op.getTile().getType();
  Type type = op.getView().getType().getElementType();
  Address from = offset(views.lookup(op.getView()), mapped(op.getRow()), mapped(op.getCol()), type);
  Value rows = op.getRows() ? mapped(op.getRows()) : Value(), cols = op.getCols() ? mapped(op.getCols()) : Value();
  Value otherwise = op.getOtherwise() ? mapped(op.getOtherwise()) : Value();
  int64_t lanes = lanesOf(tile.getCols());
  Vectors &vectors = tiles[op.getTile()];
  for (int64_t row = 0; row < tile.getRows(); ++row) {
    Value live = rows ? Value(b.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, i64(row), rows)) : Value();
    for (int64_t col = 0; col < tile.getCols(); col += lanes) {
      Value mask = live ? broadcast(live, lanes) : Value();
      if (cols) {
        Value inside = columnMask(cols, col, lanes);
        mask = mask ? Value(b.create<arith::AndIOp>(loc, mask, inside)) : inside;
      }
      vectors.push_back(loadVector(at(from, row, col, type), type, lanes, mask, otherwise));
    }
  }
}

void KernelLowering::lower(tkern::StoreOp op) {
  tkern::TileType tile = op.getTile().getType();
  Type type = op.getView().getType().getElementType();
  Address to = offset(views.lookup(op.getView()), mapped(op.getRow()), mapped(op.getCol()), type);
  Value cols = op.getCols() ? mapped(op.getCols()) : Value();
  int64_t lanes = lanesOf(tile.getCols()), perRow = tile.getCols() / lanes;
  const Vectors &vectors = tiles.find(op.getTile())->second;
  for (int64_t row = 0; row < tile.getRows(); ++row) {
    auto storeRow = [&] {
      for (int64_t i = 0; i < perRow; ++i)
        storeVector(vectors[row * perRow + i], at(to, row, i * lanes, type), type,
                    cols ? columnMask(cols, i * lanes, lanes) : Value());
    };
    if (!op.getRows()) {
      storeRow();
      continue;
    }
    Value live = b.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, i64(row), mapped(op.getRows()));
    auto branch = b.create<scf::IfOp>(loc, live, /*withElse=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(branch.thenBlock()->getTerminator());
    storeRow();
  }
}
