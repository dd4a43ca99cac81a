// Element-wise bodies on the CPU: tkern.map and tkern.map_pairs.
#include "Body.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

KernelLowering::Body::Body(KernelLowering &kernel, Block &block, tkern::TileType tile)
    : k(kernel), block(block), rows(tile.getRows()), lanes(k.lanesOf(tile.getCols())), perRow(tile.getCols() / lanes),
      ofRow(rows), splats(rows), ofVectors(rows * perRow) {}

void KernelLowering::Body::bindTile(Value argument, Value tile) {
  auto type = cast<tkern::TileType>(tile.getType());
  const Vectors &vectors = k.tiles.find(tile)->second;
  bool isUniform = type.getCols() == 1;
  int64_t fromPerRow = isUniform ? 1 : perRow;
  if (!isUniform)
    varying.insert(argument);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t from = (type.getRows() == 1 ? 0 : row) * fromPerRow;
    if (isUniform)
      ofRow[row][argument] = vectors[from];
    else
      for (int64_t col = 0; col < perRow; ++col)
        ofVectors[row * perRow + col][argument] = vectors[from + col];
  }
}

void KernelLowering::Body::bindPositions(Value rowArgument, Value row, Value colArgument, Value col) {
  Type i32 = k.b.getI32Type();
  Value firstRow = k.resized(row, i32, /*isSigned=*/true), first = k.resized(col, i32, /*isSigned=*/true);
  this->colArgument = colArgument;
  firstCol = col;
  for (int64_t r = 0; r < rows; ++r)
    ofRow[r][rowArgument] = k.add(firstRow, k.integer(r, firstRow));
  if (lanes == 1) {
    for (int64_t r = 0; r < rows; ++r)
      ofRow[r][colArgument] = first;
    return;
  }
  varying.insert(colArgument);
  for (int64_t c = 0; c < perRow; ++c) {
    SmallVector<int32_t> steps;
    for (int64_t lane = 0; lane < lanes; ++lane)
      steps.push_back(static_cast<int32_t>(c * lanes + lane));
    auto type = VectorType::get({lanes}, i32);
    Value position = k.b.create<arith::AddIOp>(
        k.loc, k.broadcast(first, lanes),
        k.b.create<arith::ConstantOp>(k.loc, DenseElementsAttr::get(type, ArrayRef<int32_t>(steps))));
    for (int64_t r = 0; r < rows; ++r)
      ofVectors[r * perRow + c][colArgument] = position;
  }
}

void KernelLowering::Body::markVarying() {
  for (Operation &op : block.without_terminator())
    if (llvm::any_of(op.getOperands(), [&](Value operand) { return varying.contains(operand); }))
      varying.insert(op.getResult(0));
}

// A value that is the same along a row: computed in the body, a constant, or from outside.
Value KernelLowering::Body::uniform(Value value, int64_t row) {
  if (Value known = ofRow[row].lookup(value))
    return known;
  return value.getParentBlock() == &block
             ? Value(k.b.create<arith::ConstantOp>(k.loc, value.getDefiningOp<arith::ConstantOp>().getValue()))
             : k.mapped(value);
}

Value KernelLowering::Body::vector(Value value, int64_t row, int64_t col) {
  if (varying.contains(value))
    return ofVectors[row * perRow + col].lookup(value);
  if (lanes == 1)
    return uniform(value, row);
  Value &splat = splats[row][value];
  if (splat)
    return splat;
  if (auto constant = value.getDefiningOp<arith::ConstantOp>()) {
    auto type = VectorType::get({lanes}, constant.getType());
    return splat = k.b.create<arith::ConstantOp>(k.loc, DenseElementsAttr::get(type, constant.getValue()));
  }
  return splat = k.broadcast(uniform(value, row), lanes);
}

Value KernelLowering::Body::ofVector(Operation *op, int64_t row, int64_t col) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(vector(operand, row, col));
  return k.elementwise(op, operands);
}

// Row by row: what is uniform along the row, then vector by vector.
void KernelLowering::Body::emit(ArrayRef<Operation *> ops) {
  for (int64_t row = 0; row < rows; ++row) {
    for (Operation *op : ops) {
      Value result = op->getResult(0);
      if (varying.contains(result) || isa<arith::ConstantOp>(op))
        continue;
      SmallVector<Value> operands;
      for (Value operand : op->getOperands())
        operands.push_back(uniform(operand, row));
      auto element = dyn_cast<tkern::ElementOp>(op);
      ofRow[row][result] = element ? k.readElement(element, operands) : k.elementwise(op, operands);
    }
    for (int64_t col = 0; col < perRow; ++col)
      for (Operation *op : ops)
        if (varying.contains(op->getResult(0)))
          ofVectors[row * perRow + col][op->getResult(0)] = ofVector(op, row, col);
  }
}

// A read whose index differs along a row is made for the whole tile at once; between such reads, vector by vector keeps
// few values alive.
Vectors KernelLowering::Body::run() {
  markVarying();
  SmallVector<Operation *> pending;
  for (Operation &op : block.without_terminator()) {
    auto element = dyn_cast<tkern::ElementOp>(op);
    if (!element || !varying.contains(element.getElement())) {
      pending.push_back(&op);
      continue;
    }
    emit(pending);
    pending.clear();
    readLanes(element);
  }
  emit(pending);
  Vectors result;
  Value yielded = cast<tkern::YieldOp>(block.getTerminator()).getValue();
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < perRow; ++col)
      result.push_back(vector(yielded, row, col));
  return result;
}

void KernelLowering::lower(tkern::MapOp op) {
  Block &block = op.getBody().front();
  Body body(*this, block, op.getResult().getType());
  for (auto [input, argument] : llvm::zip(op.getInputs(), block.getArguments()))
    body.bindTile(argument, input);
  tiles[op.getResult()] = body.run();
}

void KernelLowering::lower(tkern::MapPairsOp op) {
  Block &block = op.getBody().front();
  Body body(*this, block, op.getResult().getType());
  body.bindTile(block.getArgument(0), op.getTile());
  body.bindPositions(block.getArgument(1), mapped(op.getRow()), block.getArgument(2), mapped(op.getCol()));
  for (auto [input, argument] : llvm::zip(op.getInputs(), block.getArguments().drop_front(3)))
    body.bindTile(argument, input);
  tiles[op.getResult()] = body.run();
}
