// Splats and row reductions on the CPU.
#include "KernelLowering.h"

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
