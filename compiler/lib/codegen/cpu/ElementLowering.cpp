// Reads of tables on the CPU: one element at scalar indices, or one per lane. Lanes are read one by one through a small
// buffer, from which vectors are loaded; where columns count along a table's axis of stride 1, vectors are loaded from
// the table itself.
#include "Body.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

// An i32 index as an entry of an axis: its nearest end where it lies outside.
Value KernelLowering::entry(Value index, Value size) {
  Value wide = resized(index, b.getI64Type(), /*isSigned=*/true);
  Value last = b.create<arith::SubIOp>(loc, size, i64(1));
  return b.create<arith::MaxSIOp>(loc, b.create<arith::MinSIOp>(loc, wide, last), i64(0));
}

Value KernelLowering::readElement(tkern::ElementOp op, ValueRange operands) {
  size_t axes = op.getIndices().size();
  Value offset = i64(0);
  for (size_t axis = 0; axis < axes; ++axis)
    offset = add(offset, mul(entry(operands[1 + axis], operands[1 + axes + axis]), operands[1 + 2 * axes + axis]));
  Type type = op.getTable().getType().getElementType();
  return b.create<LLVM::LoadOp>(loc, type, element(operands[0], offset, type));
}

void KernelLowering::lower(tkern::ElementOp op) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(mapped(operand));
  scalars[op.getElement()] = readElement(op, operands);
}

// What the indices that are uniform along a row contribute.
Value KernelLowering::Body::rowOffset(tkern::ElementOp op, int64_t row) {
  Value offset = k.i64(0);
  for (auto [index, size, stride] : llvm::zip(op.getIndices(), op.getSizes(), op.getStrides()))
    if (!varying.contains(index))
      offset = k.add(offset, k.mul(k.entry(uniform(index, row), k.mapped(size)), k.mapped(stride)));
  return offset;
}

// buffer[row][0 .. columns) = the table's elements, one after the other.
void KernelLowering::Body::fillRow(const Fill &fill, Value offset, int64_t row) {
  tkern::ElementOp op = fill.op;
  Type type = op.getTable().getType().getElementType(), i32 = k.b.getI32Type();
  auto loop = k.b.create<scf::ForOp>(k.loc, k.i64(0), k.i64(perRow * lanes), k.i64(1));
  OpBuilder::InsertionGuard guard(k.b);
  k.b.setInsertionPoint(loop.getBody()->getTerminator());
  Value col = loop.getInductionVar(), at = offset;
  for (auto [axis, index] : llvm::enumerate(op.getIndices())) {
    if (!varying.contains(index))
      continue;
    Value position = fill.contiguousCol
                         ? k.resized(k.add(fill.contiguousCol, col), i32, /*isSigned=*/true)
                         : Value(k.b.create<LLVM::LoadOp>(k.loc, i32, k.element(fill.indices[axis], col, i32)));
    at = k.add(at, k.mul(k.entry(position, k.mapped(op.getSizes()[axis])), k.mapped(op.getStrides()[axis])));
  }
  Value read = k.b.create<LLVM::LoadOp>(k.loc, type, k.element(k.mapped(op.getTable()), at, type));
  Value to = k.element(fill.buffer, k.add(k.i64(row * perRow * lanes), col), type);
  k.b.create<LLVM::StoreOp>(k.loc, read, to);
}

void KernelLowering::Body::storeIndices(const Fill &fill, int64_t row) {
  tkern::ElementOp op = fill.op;
  for (auto [axis, index] : llvm::enumerate(op.getIndices()))
    if (fill.indices[axis])
      for (int64_t col = 0; col < perRow; ++col)
        k.b.create<LLVM::StoreOp>(k.loc, vector(index, row, col),
                                  k.element(fill.indices[axis], k.i64(col * lanes), k.b.getI32Type()), 4);
}

void KernelLowering::Body::readLanes(tkern::ElementOp op) {
  Type type = op.getTable().getType().getElementType();
  Fill fill{op, k.allocate(rows * perRow * lanes * 4), SmallVector<Value, 4>(op.getIndices().size()), {}};
  int64_t varyingAxes = llvm::count_if(op.getIndices(), [&](Value index) { return varying.contains(index); });
  Value contiguous;
  for (auto [axis, index] : llvm::enumerate(op.getIndices())) {
    if (varyingAxes == 1 && index == colArgument) {
      fill.contiguousCol = firstCol;
      Value end = k.add(firstCol, k.i64(perRow * lanes));
      contiguous = k.b.create<arith::AndIOp>(
          k.loc, k.compare(arith::CmpIPredicate::eq, k.mapped(op.getStrides()[axis]), k.i64(1)),
          k.compare(arith::CmpIPredicate::sle, end, k.mapped(op.getSizes()[axis])));
    } else if (varying.contains(index)) {
      fill.indices[axis] = k.allocate(perRow * lanes * 4);
    }
  }
  SmallVector<Value> from;
  for (int64_t row = 0; row < rows; ++row) {
    Value offset = rowOffset(op, row), buffered = k.element(fill.buffer, k.i64(row * perRow * lanes), type);
    if (!contiguous) {
      storeIndices(fill, row);
      fillRow(fill, offset, row);
      from.push_back(buffered);
      continue;
    }
    auto scattered = k.b.create<arith::XOrIOp>(k.loc, contiguous, k.b.create<arith::ConstantIntOp>(k.loc, 1, 1));
    auto branch = k.b.create<scf::IfOp>(k.loc, scattered, /*withElse=*/false);
    {
      OpBuilder::InsertionGuard guard(k.b);
      k.b.setInsertionPoint(branch.thenBlock()->getTerminator());
      fillRow(fill, offset, row);
    }
    Value direct = k.element(k.mapped(op.getTable()), k.add(offset, firstCol), type);
    from.push_back(k.b.create<LLVM::SelectOp>(k.loc, contiguous, direct, buffered));
  }
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < perRow; ++col)
      ofVectors[row * perRow + col][op.getElement()] = k.b.create<LLVM::LoadOp>(
          k.loc, VectorType::get({lanes}, type), k.element(from[row], k.i64(col * lanes), type), /*alignment=*/4);
}
