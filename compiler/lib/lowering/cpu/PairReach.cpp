// Loops over tiles and blocks of rows that a mask leaves.
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

void compiler::eachReachedTile(KernelBuilder &k, Value tiles, function_ref<PairReach(Value, Value)> reach,
                               function_ref<void(Value)> visit) {
  constexpr int64_t coarse = 64;
  k.loop(k.index(0), k.ceilDiv(tiles, coarse), 1, [&](Value chunk) {
    Value first = k.mul(chunk, coarse), end = k.min(k.add(first, coarse), tiles);
    k.when(reach(first, end).some, [&] {
      k.loop(first, end, 1, [&](Value tile) { k.when(reach(tile, k.add(tile, 1)).some, [&] { visit(tile); }); });
    });
  });
}

void compiler::eachReachedBlock(KernelBuilder &k, Value rows, int64_t size, function_ref<PairReach(Value, Value)> reach,
                                function_ref<void(Value, Value)> visit) {
  k.loop(k.index(0), k.ceilDiv(rows, size), 1, [&](Value block) {
    Value first = k.mul(block, size), end = k.min(k.add(first, size), rows);
    PairReach here = reach(first, end);
    k.when(here.some, [&] { visit(first, k.negate(here.all)); });
  });
}
