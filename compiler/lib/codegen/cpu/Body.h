// Body: an element-wise body on its way to vectors. What depends on a column, by position or through an operand, is
// computed once per vector; all else once per row, as scalars. Equal values of several rows or vectors are merged by CSE
// afterwards.
#pragma once

#include "KernelLowering.h"

#include "llvm/ADT/DenseSet.h"

namespace tercet::codegen {

class KernelLowering::Body {
public:
  Body(KernelLowering &kernel, mlir::Block &block, tkern::TileType tile);

  /// The elements of `argument`: those of a tile, broadcast from a single row or column.
  void bindTile(Value argument, Value tile);
  /// The positions of the tile's first element, as index, and the arguments that count from there.
  void bindPositions(Value rowArgument, Value row, Value colArgument, Value col);

  /// The vectors of the result.
  Vectors run();

private:
  void markVarying();
  void emit(mlir::ArrayRef<mlir::Operation *> ops);
  Value uniform(Value value, int64_t row);
  Value vector(Value value, int64_t row, int64_t col);
  Value ofVector(mlir::Operation *op, int64_t row, int64_t col);

  // ElementLowering.cpp: reads at positions that differ along a row
  void readLanes(tkern::ElementOp op);
  struct Fill {
    tkern::ElementOp op;
    Value buffer;                        ///< rows x columns elements
    mlir::SmallVector<Value, 4> indices; ///< per axis, a row of i32 in memory; null where the index is uniform
    Value contiguousCol;                 ///< the first column where columns count along the one varying axis; else null
  };
  Value rowOffset(tkern::ElementOp op, int64_t row);
  void fillRow(const Fill &fill, Value offset, int64_t row);
  void storeIndices(const Fill &fill, int64_t row);

  KernelLowering &k;
  mlir::Block &block;
  int64_t rows, lanes, perRow;
  llvm::DenseSet<Value> varying;
  Value colArgument, firstCol;
  mlir::SmallVector<llvm::DenseMap<Value, Value>, 4> ofRow, splats;
  mlir::SmallVector<llvm::DenseMap<Value, Value>, 16> ofVectors; ///< row by row
};

} // namespace tercet::codegen
