// PairReach: what a mask of a CPU kernel says of a rectangle of pairs.
#pragma once

#include "HoistedRegion.h"
#include "TableRanges.h"

namespace tercet::compiler {

/// Tiles of columns that one look at the intervals may skip.
inline constexpr int64_t coarseTiles = 64;

/// Whether the mask allows some pair of a rectangle, and all of them; the first may err towards true, the second towards
/// false.
struct PairReach {
  Value some, all;
};

/// Positions, inclusive.
struct PairRectangle {
  Value firstQuery, lastQuery, firstKey, lastKey;
};

PairReach reachOf(KernelBuilder &k, const HoistedRegion &mask, TableRanges &ranges, const PairRectangle &rectangle);

} // namespace tercet::compiler
