// attend, query blocks of fewer rows than visit a tile together: which rows take it. Rows that no region looks at are gathered
// from all over the item, a row tile at a time, so that a tile costs what it is taken by; others visit it where they are, and leave
// it out row by row.
#include "AttendBuilder.h"

#include "tercet/Builtins.h"

#include <tuple>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// Rows behind the valid ones take nothing.
void AttendBuilder::startTakers(Value computedRows) {
  taken = k.scratch(schedule.superRow, 1);
  k.clearRows(taken, validRows, computedRows, 1);
  if (!further.takers)
    return;
  int64_t paddedD = CpuSchedule::padded(program.headDim), nobody = schedule.superRow;
  gathered = {k.scratch(schedule.rowTile, paddedD), k.scratch(schedule.rowTile, schedule.valueDim),
              k.scratch(schedule.rowTile, 1), k.scratch(schedule.rowTile, 16)};
  k.store(k.splat(k.real(0), 1, paddedD), queries, k.index(nobody));
  k.store(k.splat(k.real(0), 1, schedule.valueDim), acc, k.index(nobody));
  k.store(k.splat(lowest, 1, 1), max, k.index(nobody));
  k.store(k.splat(k.real(0), 1, 16), sum, k.index(nobody));
}

// Which rows from firstRow on, that visit the tile together, take it: those whose query blocks have its key block critical.
void AttendBuilder::findTakers(Value firstRow, Value tile) {
  Value block = k.div(tile, k.index(schedule.blockK / schedule.keyTile));
  Value classes = k.add(k.add(k.mul(batch, slots.classStrideB), k.mul(head, slots.classStrideH)), block);
  k.loop(firstRow, k.min(k.add(firstRow, schedule.visitRows), validRows), 1, [&](Value row) {
    Value queryBlock = k.div(k.add(firstToken, row), k.index(schedule.blockQ));
    Value critical = k.equal(k.read(slots.classes, k.add(classes, k.mul(queryBlock, slots.classStrideI))), k.index(1));
    k.store(k.splat(k.select(critical, k.real(1), k.real(0)), 1, 1), taken, row);
  });
}

// A tile for the rows that take it: entry `entry` of the lists, with its mask. Where rows are gathered, those of runs that the mask
// cuts visit it where they are.
void AttendBuilder::takenTile(Value entry, Value tile, Value next, Value mask) {
  Tile packed = packedTile(tile), ahead = packedTile(k.min(next, lastTile));
  packed.nextKeys = ahead.keys;
  packed.nextValues = ahead.values;
  if (further.takers)
    gatherRows(entry, packed);
  if (further.takers && !stage.mask)
    return;
  packed.restricted = k.raw().create<arith::ConstantOp>(k.location(), k.raw().getBoolAttr(true));
  Value bits = further.takers ? k.shiftRight(mask, k.index(partialBit)) : mask;
  k.loop(zero, k.index(schedule.visitsPerRow()), 1, [&](Value run) {
    k.when(k.notEqual(k.bitAnd(k.shiftRight(bits, run), k.index(1)), zero), [&] {
      Value firstRow = k.mul(run, schedule.visitRows);
      findTakers(firstRow, tile);
      visit(firstRow, packed);
    });
  });
}

void AttendBuilder::gatherRows(Value entry, const Tile &tile) {
  Tile whole = tile;
  whole.firstKey = {}; // no region applies
  auto end = [&](int64_t which) { return k.read(further.takersAt, k.add(k.mul(entry, 2), which)); };
  Value begin = end(0), count = k.sub(end(1), begin);
  Value list = k.div(entry, slots.capacity);
  Value first = k.add(k.mul(list, k.mul(slots.blocksK, schedule.superRow)), begin);
  int64_t shares = schedule.visitRows / schedule.rowTile;
  k.loop(zero, count, schedule.rowTile, [&](Value number) {
    SmallVector<Value> rows;
    for (int64_t at = 0; at < schedule.rowTile; ++at) {
      Value known = k.min(k.add(number, at), k.sub(count, k.index(1)));
      Value row = k.bitAnd(k.read(further.takers, k.add(first, known)), k.index(255));
      rows.push_back(k.select(k.less(k.add(number, at), count), row, k.index(schedule.superRow)));
      copyTaken(k.index(at), rows.back(), /*back=*/false);
    }
    RowState all{queries, acc, max, sum};
    std::tie(queries, acc, max, sum) = std::tie(gathered.queries, gathered.acc, gathered.max, gathered.sum);
    visitRows(k.min(k.div(number, k.index(schedule.rowTile)), k.index(shares - 1)), zero, schedule.rowTile, whole);
    std::tie(queries, acc, max, sum) = std::tie(all.queries, all.acc, all.max, all.sum);
    for (auto [at, row] : llvm::enumerate(rows))
      copyTaken(k.index(static_cast<int64_t>(at)), row, /*back=*/true);
  });
}

// A row and its softmax state to place `at` of those gathered, or the state back.
void AttendBuilder::copyTaken(Value at, Value row, bool back) {
  auto copy = [&](Value item, Value here, int64_t width) {
    if (back)
      k.store(k.load(here, at, 1, width), item, row);
    else
      k.store(k.load(item, row, 1, width), here, at);
  };
  if (!back)
    copy(queries, gathered.queries, CpuSchedule::padded(program.headDim));
  copy(acc, gathered.acc, schedule.valueDim);
  copy(max, gathered.max, 1);
  copy(sum, gathered.sum, 16);
}
