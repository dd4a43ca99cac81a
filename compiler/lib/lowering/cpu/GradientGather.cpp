// Small query blocks that no region looks at, in a pass of the backward: queries that take a tile, or a block of keys, are gathered, so
// that it costs what it is taken by.
#include "GradientBuilder.h"

#include "tercet/Builtins.h"

#include <limits>
#include <tuple>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// One row more than the item has is nobody's.
void GradientBuilder::startRowGathering() {
  gathered.x = k.scratch(schedule.rowTile, widthX);
  gathered.y = k.scratch(schedule.rowTile, widthY);
  gathered.dx = k.scratch(schedule.rowTile, widthX);
  gathered.shares = k.scratch(schedule.rowTile, 1);
  for (Value *of : {&gathered.shifts, &gathered.rests, &gathered.sums})
    *of = k.scratch(schedule.rowTile, 1);
  for (auto [of, width] : {std::pair{x, widthX}, {y, widthY}, {dx, widthX}, {shares, int64_t{1}}})
    k.store(k.splat(k.real(0), 1, width), of, k.index(rows.superRow));
}

// Columns that no query has got have shifts of -inf, with which P is 0.
void GradientBuilder::startColumnGathering() {
  auto start = [&](int64_t depth, int64_t panel) {
    int64_t count = depth * gatheredColumns / panel;
    Value matrix = k.scratch(count, panel);
    k.clearRows(matrix, zero, k.index(count), panel);
    return matrix;
  };
  int64_t panel = schedule.inPanels ? schedule.keyPanel : gatheredColumns;
  gathered.tile = {.transposedX = start(depthX, panel),
                   .plainX = start(widthX, schedule.plainPanel(widthX)),
                   .transposedY = start(depthY, panel),
                   .plainY = start(widthY, schedule.plainPanel(widthY))};
  for (Value *of : {&gathered.shifts, &gathered.rests, &gathered.sums})
    *of = k.scratch(1, gatheredColumns);
  clearColumns();
}

void GradientBuilder::clearColumns() {
  Value lowest = k.real(-std::numeric_limits<float>::infinity());
  k.store(k.splat(lowest, 1, gatheredColumns), gathered.shifts, zero);
  k.store(k.splat(k.real(0), 1, gatheredColumns), gathered.rests, zero);
  k.store(k.splat(k.real(0), 1, gatheredColumns), gathered.sums, zero);
}

// What is emitted in `body` meets queries that are gathered, which all take part, and of which no region is asked.
void GradientBuilder::whereGathered(function_ref<void()> body) {
  Value none;
  std::swap(taken, none);
  isGathered = true;
  body();
  isGathered = false;
  std::swap(taken, none);
}

// A tile of keys for the rows that take it (build_lists), a row tile at a time.
void GradientBuilder::gatherRows(Value entry, const Tile &tile) {
  auto end = [&](int64_t which) { return k.read(slots.takersAt, k.add(k.mul(entry, 2), which)); };
  Value begin = end(0), count = k.sub(end(1), begin), list = k.div(entry, slots.capacity);
  Value first = k.add(k.mul(list, k.mul(slots.blocksK, rows.superRow)), begin);
  Value ofHead = k.add(k.mul(group, slots.queryRows), firstRow),
        lowest = k.real(-std::numeric_limits<float>::infinity());
  k.loop(zero, count, schedule.rowTile, [&](Value number) {
    SmallVector<Value> taking;
    for (int64_t at = 0; at < schedule.rowTile; ++at) {
      Value known = k.min(k.add(number, at), k.sub(count, k.index(1))), place = k.index(at);
      Value row = k.bitAnd(k.read(slots.takers, k.add(first, known)), k.index(255));
      Value isOne = k.less(k.add(number, at), count);
      taking.push_back(k.select(isOne, row, k.index(rows.superRow)));
      for (auto [of, from] : {std::pair{gathered.x, x}, {gathered.y, y}, {gathered.dx, dx}})
        k.store(k.load(from, taking.back(), 1, cast<tkern::ViewType>(of.getType()).getCols()), of, place);
      k.store(k.load(shares, taking.back(), 1, 1), gathered.shares, place);
      for (auto [of, from, otherwise] : {std::tuple{gathered.shifts, slots.shifts, lowest},
                                         {gathered.rests, slots.rests, k.real(0)},
                                         {gathered.sums, slots.sums, k.real(0)}})
        k.store(k.splat(k.select(isOne, k.read(from, k.add(ofHead, row)), otherwise), 1, 1), of, place);
    }
    std::tuple all{x, y, dx, shares};
    std::tie(x, y, dx, shares) = std::tie(gathered.x, gathered.y, gathered.dx, gathered.shares);
    Value share = k.min(k.div(number, k.index(schedule.rowTile)), k.index(rows.block / schedule.rowTile - 1));
    whereGathered([&] { visitRows({zero, schedule.rowTile, {}, share}, tile); });
    std::tie(x, y, dx, shares) = all;
    for (auto [at, row] : llvm::enumerate(taking)) {
      Value place = k.index(static_cast<int64_t>(at));
      k.store(k.load(gathered.dx, place, 1, widthX), dx, row);
      k.store(k.load(gathered.shares, place, 1, 1), shares, row);
    }
  });
}

// A query, column `col` of a tile, to column `at` of those gathered. Transposed tiles have their columns in panels.
void GradientBuilder::copyColumn(const Tile &tile, Value col, Value at) {
  auto copyTransposed = [&](Value from, Value into, int64_t depth) {
    int64_t source = schedule.inPanels ? schedule.keyPanel : columns.tile,
            target = schedule.inPanels ? schedule.keyPanel : gatheredColumns, step = 16;
    while (depth % step != 0)
      step /= 2;
    auto rowOf = [&](Value column, int64_t panel) { return k.mul(k.div(column, k.index(panel)), depth); };
    auto colOf = [&](Value column, int64_t panel) { return k.rem(column, k.index(panel)); };
    k.loop(zero, k.index(depth), step, [&](Value feature) {
      Value values = k.load(from, k.add(rowOf(col, source), feature), step, 1, colOf(col, source));
      k.store(values, into, k.add(rowOf(at, target), feature), colOf(at, target));
    });
  };
  auto copyPlain = [&](Value from, Value into, int64_t width) {
    int64_t panel = schedule.plainPanel(width);
    for (int64_t number = 0; number < width / panel; ++number)
      k.store(k.load(from, k.add(col, number * columns.tile), 1, panel), into, k.add(at, number * gatheredColumns));
  };
  const Tile &into = gathered.tile;
  copyTransposed(tile.transposedX, into.transposedX, depthX);
  copyTransposed(tile.transposedY, into.transposedY, depthY);
  copyPlain(tile.plainX, into.plainX, widthX);
  copyPlain(tile.plainY, into.plainY, widthY);
  for (auto [from, to] :
       {std::pair{slots.shifts, gathered.shifts}, {slots.rests, gathered.rests}, {slots.sums, gathered.sums}})
    k.store(k.splat(k.read(from, k.add(tile.query, col)), 1, 1), to, zero, at);
}

// The queries of a head that take block `block` of the item's keys, from all runs but those that the mask cuts there: a tile of them
// when so many have been found, and at the end of the list.
void GradientBuilder::gatherColumns(Value owner, Value entries, Value count, Value block) {
  Type index = k.index(0).getType();
  Value lastEntry = k.sub(count, k.index(1)), lastColumn = k.index(columns.tile - 1), classes = classesOf(owner, block);
  auto hasBit = [&](Value bits, Value at) { return k.notEqual(k.bitAnd(k.shiftRight(bits, at), k.index(1)), zero); };
  k.loop(zero, count, 1, zero, [&](Value e, ValueRange found) -> SmallVector<Value> {
    Value at = k.add(entries, k.mul(e, 2)), bits = k.read(slots.lists, k.add(at, 1));
    Value takes = hasBit(bits, block), isLast = k.equal(e, lastEntry);
    if (pass.forward->mask)
      takes = k.bitAnd(takes, k.negate(hasBit(bits, k.add(block, partialBit))));
    auto eachColumn = [&] {
      Tile tile = packedTile(owner, k.read(slots.lists, at));
      Value end = k.select(takes, k.sub(validColumns, tile.first), zero);
      return k.loop(zero, k.index(columns.tile), 1, found[0], [&](Value col, ValueRange before) -> SmallVector<Value> {
        auto take = [&] {
          copyColumn(tile, col, before[0]);
          return k.add(before[0], 1);
        };
        auto isTaken = [&] { return isCritical(classes, k.add(tile.first, col)); };
        Value takesPart = k.choose(k.raw().getI1Type(), k.less(col, end), isTaken, [&] { return k.less(zero, zero); });
        Value now = k.choose(index, takesPart, take, [&] { return before[0]; });
        Value isEnd = k.bitAnd(isLast, k.bitAnd(k.equal(col, lastColumn), k.less(zero, now)));
        auto visitGathered = [&] {
          whereGathered([&] { visit(k.mul(block, rows.block), rows.block, gathered.tile); });
          clearColumns();
          return zero;
        };
        return {k.choose(index, k.bitOr(isEnd, k.equal(now, k.index(gatheredColumns))), visitGathered,
                         [&] { return now; })};
      })[0];
    };
    return {k.choose(index, k.bitOr(takes, isLast), eachColumn, [&] { return found[0]; })};
  });
}
