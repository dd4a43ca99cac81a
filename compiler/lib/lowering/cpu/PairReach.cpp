#include "PairReach.h"

#include "PairIntervals.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

PairReach compiler::reachOf(KernelBuilder &k, const HoistedRegion &mask, TableRanges &ranges,
                            const PairRectangle &rectangle) {
  PairIntervals intervals(k.raw(), mask.uniform(),
                          [&](ir::ReadOp op, ArrayRef<Bounds> indices) { return ranges.read(op, indices); });
  intervals.bind(mask.queryArgument(), rectangle.firstQuery, rectangle.lastQuery);
  intervals.bind(mask.keyArgument(), rectangle.firstKey, rectangle.lastKey);
  Bounds allowed = intervals.result();
  return {allowed.high, allowed.low};
}
