// Splats, row reductions and the online-softmax step on the CPU.
#include "KernelLowering.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::codegen;

void KernelLowering::lower(tkern::SplatOp op) {
  tkern::TileType tile = op.getTile().getType();
  int64_t lanes = lanesOf(tile.getCols());
  tiles[op.getTile()] = Vectors(tile.getRows() * (tile.getCols() / lanes), broadcast(mapped(op.getValue()), lanes));
}

void KernelLowering::lower(tkern::ReduceOp op) {
  tkern::TileType tile = op.getTile().getType();
  int64_t perRow = tile.getCols() / lanesOf(tile.getCols());
  ArrayRef<Value> vectors = tiles.find(op.getTile())->second;
  Vectors result;
  for (int64_t row = 0; row < tile.getRows(); ++row)
    result.push_back(reduce(op.getKind(), vectors.slice(row * perRow, perRow)));
  tiles[op.getResult()] = std::move(result);
}

// Whether a vector of flags, or a flag, holds a set one.
Value KernelLowering::anyLane(Value flags) {
  auto vector = dyn_cast<VectorType>(flags.getType());
  if (!vector)
    return flags;
  Type bits = b.getIntegerType(vector.getDimSize(0));
  return compare(arith::CmpIPredicate::ne, b.create<LLVM::BitcastOp>(loc, bits, flags),
                 b.create<arith::ConstantOp>(loc, b.getIntegerAttr(bits, 0)));
}

void KernelLowering::lower(tkern::AnyOp op) {
  Value above;
  for (Value part : tiles.find(op.getTile())->second) {
    Value flags = compare(arith::CmpFPredicate::OGT, part, real(0, part.getType()));
    above = above ? Value(b.create<arith::OrIOp>(loc, above, flags)) : flags;
  }
  scalars[op] = anyLane(above);
}
