// Masks and score regions in a pass of the backward: what is out has P = 0, and dS is multiplied by the derivative of the score
// region. Regions see queries and keys, whichever of them are rows.
#include "GradientBuilder.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// What regions need before the loop over the tiles of a head.
void GradientBuilder::startRegions(Value owner) {
  Value queryHead =
      k.add(k.mul(k.rem(k.add(slots.firstPair, k.div(owner, slots.headsPerKV)), slots.headsKV), slots.headsPerKV),
            k.rem(owner, slots.headsPerKV));
  auto start = [&](std::optional<HoistedRegion> &region, Region *body, unsigned first) {
    region.reset();
    if (!body)
      return;
    region.emplace(k, *body, scope, first, batch, queryHead, rows.superRow, columns.tile,
                   pass.ofKeys ? HoistedRegion::Rows::keys : HoistedRegion::Rows::queries);
    region->prepareRows(validRows, [&](Value row) { return k.add(firstRow, row); });
  };
  start(mask, pass.forward->mask, 0);
  start(score, pass.forward->score, 1);
  if (pass.ofTable)
    startScatter(queryHead);
  else
    start(slope, pass.slope.get(), 1);
  for (TableOfPass &table : tables)
    start(table.factor, table.shares.read.factor.get(), 1);
}

void GradientBuilder::prepareColumns(const Tile &tile) {
  for (std::optional<HoistedRegion> *region : {&score, &slope, &mask})
    if (*region)
      (*region)->prepareColumns(tile.first);
  for (TableOfPass &table : tables)
    if (table.factor)
      table.factor->prepareColumns(tile.first);
}

// Rows of the item from `first` to before `end`, tiles likewise; neither is empty.
PairReach GradientBuilder::reach(Value first, Value end, Value firstTile, Value endTile) {
  Value one = k.index(1), firstPosition = k.add(firstRow, first), lastPosition = k.sub(k.add(firstRow, end), one);
  Value firstColumn = k.mul(firstTile, columns.tile),
        lastColumn = k.sub(k.min(k.mul(endTile, columns.tile), validColumns), one);
  if (pass.ofKeys)
    return reachOf(k, *mask, ranges, {firstColumn, lastColumn, firstPosition, lastPosition});
  return reachOf(k, *mask, ranges, {firstPosition, lastPosition, firstColumn, lastColumn});
}

// The tiles in which the mask allows a pair, each for the blocks of rows that have one.
void GradientBuilder::maskedTiles(Value owner) {
  auto reachOfTiles = [&](Value first, Value end) { return reach(zero, validRows, first, end); };
  eachReachedTile(k, k.add(lastTile, 1), reachOfTiles, [&](Value tile) { maskedTile(owner, tile); });
}

void GradientBuilder::maskedTile(Value owner, Value number) {
  Tile tile = packedTile(owner, number);
  Value hasTail = tile.restricted;
  prepareColumns(tile);
  auto reachOfRows = [&](Value first, Value end) { return reach(first, end, number, k.add(number, 1)); };
  eachReachedBlock(k, validRows, rows.block, reachOfRows, [&](Value first, Value restricted) {
    tile.restricted = k.bitOr(hasTail, restricted);
    visit(first, rows.block, tile);
  });
}

// Only tiles with pairs that are out pay for leaving them out.
Value GradientBuilder::regionProbabilities(Value product, const Part &part, const Tile &tile) {
  return k.choose(
      product.getType(), tile.restricted, [&] { return regionValues(product, part, tile, true); },
      [&] { return regionValues(product, part, tile, false); });
}

Value GradientBuilder::regionValues(Value product, const Part &part, const Tile &tile, bool restricted) {
  SmallVector<Value> inputs{ofQueries(slots.shifts, part, tile), ofQueries(slots.rests, part, tile)}, ofScore, ofMask;
  if (score)
    ofScore = score->inputs(part.row, part.rows, part.col, columnPanel());
  if (mask && restricted)
    ofMask = mask->inputs(part.row, part.rows, part.col, columnPanel());
  llvm::append_range(inputs, ofScore);
  llvm::append_range(inputs, ofMask);
  Value row = k.add(firstRow, part.row), col = k.add(tile.first, part.col), end = k.narrow(validColumns);
  Value lowest = k.real(-std::numeric_limits<float>::infinity()), unit = k.real(log2e);
  return k.mapPairs(product, row, col, inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value query = pass.ofKeys ? v[2] : v[1], key = pass.ofKeys ? v[1] : v[2], value = v[0], toLog2 = factor;
    if (score) {
      value = score->emit(body, body.create<arith::MulFOp>(loc, value, scale), query, key, v.slice(5, ofScore.size()));
      toLog2 = unit;
    }
    value = body.create<arith::AddFOp>(loc, body.create<math::FmaOp>(loc, value, toLog2, v[3]), v[4]);
    if (restricted) {
      Value live = body.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, v[2], end);
      if (mask)
        live = body.create<arith::AndIOp>(loc, live,
                                          mask->emit(body, {}, query, key, v.slice(5 + ofScore.size(), ofMask.size())));
      value = body.create<arith::SelectOp>(loc, live, value, lowest);
    }
    return body.create<math::Exp2Op>(loc, value);
  });
}

// What a derivative of the score region is for a part of a tile.
Value GradientBuilder::derivatives(HoistedRegion &of, Value product, const Part &part, const Tile &tile) {
  SmallVector<Value> inputs = of.inputs(part.row, part.rows, part.col, columnPanel());
  Value row = k.add(firstRow, part.row), col = k.add(tile.first, part.col);
  return k.mapPairs(product, row, col, inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value query = pass.ofKeys ? v[2] : v[1], key = pass.ofKeys ? v[1] : v[2];
    return of.emit(body, body.create<arith::MulFOp>(loc, v[0], scale), query, key, v.drop_front(3));
  });
}
