// HoistedRegion: a region over pairs in a kernel whose items hold rows and pass over tiles of columns. Every value is
// computed as seldom as what it depends on allows: once per item, once per row of the item, once per tile of columns, or in the
// loop for every pair.
#pragma once

#include "KernelBuilder.h"
#include "PairRegion.h"

namespace tercet::compiler {

class HoistedRegion {
public:
  /// What an item's rows are; columns are the other.
  enum class Rows { queries, keys };
  /// A region that gets `first`, `first` + 1, .. as batch, head, query and key. Clones what depends on neither query nor
  /// key here. `rows` and `cols`: rows of the item and columns of a tile.
  HoistedRegion(KernelBuilder &k, mlir::Region &region, PairScope &scope, unsigned first, Value batch, Value head,
                int64_t rows, int64_t cols, Rows kind = Rows::queries);

  /// Computes what depends on the row alone for `count` rows; positionOf gives the position of a row.
  void prepareRows(Value count, llvm::function_ref<Value(Value)> positionOf);
  /// Computes what depends on the column alone for a tile of columns from position `first` on, or at these positions
  /// (BlockTokens::positions).
  void prepareColumns(Value first, Value positions = {});

  /// What was prepared for `rows` rows from `row` on and `cols` columns of the tile from `col` on: further inputs of the
  /// body below.
  mlir::SmallVector<Value> inputs(Value row, int64_t rows, Value col, int64_t cols);
  /// The region's result in a body over pairs, which got the inputs as `prepared`. `score` is the first argument of a
  /// region that gets one.
  Value emit(mlir::OpBuilder &body, Value score, Value query, Value key, ValueRange prepared) const;

  /// The region with what depends on neither query nor key cloned.
  const PairRegion &uniform() const { return region; }
  unsigned queryArgument() const { return query; }
  unsigned keyArgument() const { return key; }

private:
  /// A value that the loop takes from memory, as bits where it is no f32.
  struct Prepared {
    Value ofRegion, memory;
  };
  void findPrepared(unsigned first, int64_t rows, int64_t cols);
  void prepare(const Prepared &value, unsigned argument, bool isRow, Value position, Value row, Value positions = {});

  KernelBuilder &k;
  PairRegion region;
  unsigned query, key; ///< numbers of these arguments
  Rows kind;
  int64_t cols;
  mlir::SmallVector<Prepared> ofRows, ofColumns;
};

} // namespace tercet::compiler
