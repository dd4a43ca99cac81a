// Query blocks of fewer rows than visit a tile together, in a pass of the backward, where regions look at where queries are: rows, or
// columns, that do not take a tile have P = 0 there, and so no share in what it adds to.
#include "GradientBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// Rows behind the valid ones take nothing.
void GradientBuilder::startTakers() {
  int64_t queries = pass.ofKeys ? columns.tile : rows.superRow;
  taken = pass.ofKeys ? k.scratch(1, queries) : k.scratch(queries, 1);
  if (pass.ofKeys)
    return;
  Value computed = k.min(k.add(validRows, schedule.rowTile - 1), k.index(rows.superRow));
  k.clearRows(taken, validRows, computed, 1);
}

// The classes of a key block, of the head's first query block.
Value GradientBuilder::classesOf(Value owner, Value block) {
  Value queryHead = pass.ofKeys ? k.add(k.mul(head, slots.headsPerKV), k.rem(owner, slots.headsPerKV)) : head;
  Value keyBlock = pass.ofKeys ? k.add(k.div(firstRow, k.index(rows.block)), block) : block;
  return k.add(k.add(k.mul(batch, slots.classStrideB), k.mul(queryHead, slots.classStrideH)), keyBlock);
}

Value GradientBuilder::isCritical(Value classes, Value query) {
  Value queryBlock = k.div(query, k.index(schedule.blockQ));
  return k.equal(k.read(slots.classes, k.add(classes, k.mul(queryBlock, slots.classStrideI))), k.index(1));
}

// Which queries take part where rows of block `block` of the item meet a tile: those whose query blocks have the key block critical.
void GradientBuilder::findTakers(Value owner, Value block, const Tile &tile) {
  Value classes = classesOf(owner, pass.ofKeys ? block : k.div(tile.first, k.index(columns.packed)));
  auto take = [&](Value query, Value row, Value col) {
    k.store(k.splat(k.select(isCritical(classes, query), k.real(1), k.real(0)), 1, 1), taken, row, col);
  };
  if (pass.ofKeys) {
    k.store(k.splat(k.real(0), 1, columns.tile), taken, zero);
    Value end = k.min(k.index(columns.tile), k.sub(validColumns, tile.first));
    return k.loop(zero, end, 1, [&](Value col) { take(k.add(tile.first, col), zero, col); });
  }
  Value first = k.mul(block, rows.block);
  k.loop(first, k.min(k.add(first, rows.block), validRows), 1, [&](Value row) { take(k.add(firstRow, row), row, {}); });
}

Value GradientBuilder::takenOnly(Value probabilities, const Part &part) {
  Value of = pass.ofKeys ? k.load(taken, zero, 1, columnPanel(), part.col) : k.load(taken, part.row, part.rows, 1);
  return k.map({probabilities, of}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value takes = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, v[1], k.real(0));
    return body.create<arith::SelectOp>(loc, takes, v[0], k.real(0));
  });
}
