// PairReach: what a mask of a CPU kernel says of a rectangle of pairs.
#pragma once

#include "HoistedRegion.h"
#include "TableRanges.h"

namespace tercet::compiler {

/// Whether the mask allows some pair of a rectangle, and all of them; the first may err towards true, the second towards
/// false.
struct PairReach {
  Value some, all;
};

/// Positions, inclusive.
struct PairRectangle {
  Value firstQuery, lastQuery, firstKey, lastKey;
};

/// Calls `visit` with every tile of `tiles` in which some pair is allowed. reach(first, end): of tiles first to before end, in all
/// rows. One look at the intervals may skip 64 tiles.
void eachReachedTile(KernelBuilder &k, Value tiles, llvm::function_ref<PairReach(Value, Value)> reach,
                     llvm::function_ref<void(Value)> visit);

/// Calls `visit` with the first row of every block of `size` rows, of `rows`, in which some pair is allowed, and whether some pair
/// is not. reach(first, end): of rows first to before end.
void eachReachedBlock(KernelBuilder &k, Value rows, int64_t size, llvm::function_ref<PairReach(Value, Value)> reach,
                      llvm::function_ref<void(Value, Value)> visit);

PairReach reachOf(KernelBuilder &k, const HoistedRegion &mask, TableRanges &ranges, const PairRectangle &rectangle);

} // namespace tercet::compiler
