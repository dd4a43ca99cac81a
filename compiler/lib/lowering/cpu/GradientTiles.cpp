// The tiles of columns that an item of the backward visits, and one tile against a few rows.
#include "GradientBuilder.h"

#include "tercet/Builtins.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// `owner`: the query head, by its number in the group, whose pairs are visited.
void GradientBuilder::visitHead(Value owner) {
  if (hasRegions())
    startRegions(owner);
  if (pass.ofMeans)
    meanTiles(owner);
  else if (pass.listed())
    listedTiles(owner);
  else if (mask)
    maskedTiles(owner);
  else
    allTiles(owner);
}

void GradientBuilder::allTiles(Value owner) {
  k.loop(zero, k.add(lastTile, 1), 1, [&](Value number) {
    Tile tile = packedTile(owner, number);
    prepareColumns(tile);
    visit(zero, rows.superRow, tile);
  });
}

// The tiles that the item's list names, each for the blocks of rows in its mask; where queries are gathered, for those of which the mask cuts
// some pairs.
void GradientBuilder::listedTiles(Value owner) {
  Value list = k.add(k.mul(owner, slots.superRows), superRow), entries = k.mul(k.mul(list, slots.capacity), 2);
  Value count = k.read(slots.counts, list), lastEntry = k.sub(count, k.index(1));
  auto gatherAll = [&] {
    k.loop(zero, k.index(rows.superRow / rows.block), 1,
           [&](Value block) { gatherColumns(owner, entries, count, block); });
  };
  if (gathers() && pass.ofKeys && !mask)
    return gatherAll();
  k.loop(zero, count, 1, [&](Value e) {
    Value at = k.add(entries, k.mul(e, 2)), bits = k.read(slots.lists, k.add(at, 1));
    Value nextAt = k.add(entries, k.mul(k.min(k.add(e, 1), lastEntry), 2));
    Tile tile = packedTile(owner, k.read(slots.lists, at)), next = packedTile(owner, k.read(slots.lists, nextAt));
    tile.next = &next;
    if (gathers() && !pass.ofKeys)
      gatherRows(k.add(k.mul(list, slots.capacity), e), tile);
    if (gathers() && !mask)
      return;
    if (gathers()) {
      tile.bias = {};
      bits = k.shiftRight(bits, k.index(partialBit));
    }
    Value hasTail = tile.restricted;
    prepareTail(k.read(slots.lists, at));
    prepareColumns(tile);
    auto hasBit = [&](Value at) { return k.notEqual(k.bitAnd(k.shiftRight(bits, at), k.index(1)), zero); };
    k.loop(zero, k.index(rows.superRow / rows.block), 1, [&](Value block) {
      k.when(hasBit(block), [&] {
        if (gathers())
          tile.restricted = k.equal(zero, zero);
        else if (mask)
          tile.restricted = k.bitOr(hasTail, hasBit(k.add(block, partialBit)));
        if (taken)
          findTakers(owner, block, tile);
        visit(k.mul(block, rows.block), rows.block, tile);
      });
    });
  });
  if (gathers() && pass.ofKeys)
    gatherAll();
}

// How many columns of a tile are tokens, under a token order.
Value GradientBuilder::columnsOfTile(Value tile) {
  Value parts = k.index(columns.packed / columns.tile);
  Value inBlock = columnsAt.count(k.div(tile, parts), columns.packed, validColumns);
  return k.min(k.sub(inBlock, k.mul(k.rem(tile, parts), columns.tile)), k.index(columns.tile));
}

// Under a token order any tile may have places without a token: without keys these would have P e^-LSE, and without queries 0.
void GradientBuilder::prepareTail(Value tile) {
  if (!columnsAt.ordered() || pass.ofKeys)
    return;
  Value lowest = k.real(-std::numeric_limits<float>::infinity());
  k.when(k.less(columnsOfTile(tile), k.index(columns.tile)), [&] {
    k.store(k.splat(lowest, 1, columns.tile), tailBias, zero);
    k.store(k.splat(k.real(0), 1, columns.tile), tailBias, zero, {}, {}, columnsOfTile(tile));
  });
}

GradientBuilder::Tile GradientBuilder::packedTile(Value owner, Value tile) {
  Value columnHead = pass.ofKeys ? owner : k.div(owner, slots.headsPerKV);
  Value at = k.add(k.mul(columnHead, slots.tilesPerHead), tile);
  auto transposed = [&](Value packed, int64_t depth) {
    return k.view(packed, k.mul(at, depth * columns.tile), columnPanel());
  };
  auto plain = [&](Value packed, int64_t width) {
    return k.view(packed, k.mul(at, columns.tile * width), schedule.plainPanel(width));
  };
  Tile result{.transposedX = transposed(slots.transposedX, depthX),
              .plainX = plain(slots.plainX, widthX),
              .transposedY = transposed(slots.transposedY, depthY)};
  result.first = k.mul(tile, columns.tile);
  result.restricted = k.less(validColumns, k.add(result.first, columns.tile));
  if (pass.ofKeys) {
    result.plainY = plain(slots.plainY, widthY);
    result.query = k.add(k.mul(owner, slots.queryRows), k.mul(tile, columns.tile));
  } else {
    if ((!hasRegions() || gathers()) && !pass.ofMeans)
      result.bias = k.selectView(columnsAt.ordered() ? k.less(columnsOfTile(tile), k.index(columns.tile))
                                                     : k.equal(tile, lastTile),
                                 tailBias, noBias);
    result.query = k.add(k.mul(owner, slots.queryRows), firstRow);
  }
  return result;
}

// Rows of the item from `first` on, `count` of them where so many are valid: row tiles, and one of those that are left where
// they do not divide the count.
void GradientBuilder::visit(Value first, int64_t count, const Tile &tile) {
  int64_t step = schedule.rowTile, whole = count / step * step;
  Value left = k.sub(validRows, first);
  auto visitTaken = [&](const Part &part) {
    if (skipsRows())
      k.when(k.any(k.load(taken, part.row, part.rows, 1)), [&] { visitRows(part, tile); });
    else
      visitRows(part, tile);
  };
  k.loop(first, k.add(first, k.min(k.roundUp(left, step), k.index(whole))), step, [&](Value row) {
    visitTaken({row, step, {}, k.div(k.sub(row, first), k.index(step))});
  });
  if (int64_t rest = count - whole)
    k.when(k.less(k.index(whole), left), [&] { visitTaken({k.add(first, whole), rest, {}, k.index(whole / step)}); });
}

// P and dS go to memory panel by panel, from where they are read for every panel of what they multiply.
void GradientBuilder::visitRows(const Part &rowsOfTile, const Tile &tile) {
  int64_t panel = columnPanel();
  k.loop(zero, k.index(tileColumns()), panel, [&](Value col) {
    Part part = rowsOfTile;
    part.col = col;
    Value product = scoreProduct(part, tile);
    Value ofPairs = hasRegions() ? regionProbabilities(product, part, tile) : probabilities(product, part, tile);
    k.store(taken ? takenOnly(ofPairs, part) : ofPairs, p, zero, col);
    keepFactors(product, part, tile);
    if (slope)
      k.store(derivatives(*slope, product, part, tile), ds, zero, col);
    Value dp = valueProduct(part, tile);
    if (pass.ofTable) {
      k.store(timesFactor(tables.front(), resultGradients(dp, part, tile), part), ds, zero, col);
      return;
    }
    sumTables(dp, part, tile);
    k.store(scoreGradients(dp, part, tile), ds, zero, col);
  });
  if (pass.ofTable)
    return scatter(rowsOfTile, tile);
  accumulate(ds, tile, &Tile::plainX, widthX, dx, rowsOfTile);
  if (pass.ofKeys)
    return accumulate(p, tile, &Tile::plainY, widthY, dy, rowsOfTile);
  Value row = rowsOfTile.row;
  Value more = k.reduce(tkern::ReduceKind::Add, k.load(p, zero, rowsOfTile.rows, tileColumns()));
  k.store(k.tileSum(k.load(shares, row, rowsOfTile.rows, 1), more), shares, row);
}

// What a value of queries is for a part of a tile: one per row, or one per column.
Value GradientBuilder::ofQueries(Value values, const Part &part, const Tile &tile) {
  if (isGathered) {
    Value of = values == slots.shifts ? gathered.shifts : values == slots.rests ? gathered.rests : gathered.sums;
    return pass.ofKeys ? k.load(of, zero, 1, columnPanel(), part.col) : k.load(of, part.row, part.rows, 1);
  }
  if (pass.ofKeys)
    return k.load(k.view(values, k.add(tile.query, part.col), columnPanel()), zero, 1, columnPanel());
  return k.load(k.view(values, k.add(tile.query, part.row), 1), zero, part.rows, 1);
}

Value GradientBuilder::scoreProduct(const Part &part, const Tile &tile) {
  int64_t panel = columnPanel();
  Value start = tile.bias ? k.repeatRows(k.load(tile.bias, zero, 1, panel, part.col), part.rows)
                          : k.splat(k.real(0), part.rows, panel);
  auto [from, elements] = ahead(tile, &Tile::transposedX, part, panel, depthX);
  return k.matmul(k.subview(x, part.row), k.subview(tile.transposedX, zero, k.mul(part.col, depthX)), start, depthX,
                  /*transposed=*/false, from, elements);
}

Value GradientBuilder::probabilities(Value product, const Part &part, const Tile &tile) {
  SmallVector<Value> inputs{product, ofQueries(slots.shifts, part, tile), ofQueries(slots.rests, part, tile)};
  if (tile.weights)
    inputs.push_back(weightsOf(part, tile));
  return k.map(inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value exponent = body.create<math::FmaOp>(loc, v[0], factor, v[1]);
    exponent = body.create<arith::AddFOp>(loc, exponent, v[2]);
    if (tile.weights)
      exponent = body.create<arith::AddFOp>(loc, exponent, v[3]);
    return body.create<math::Exp2Op>(loc, exponent);
  });
}

Value GradientBuilder::weightsOf(const Part &part, const Tile &tile) {
  return pass.ofKeys ? k.load(tile.weights, part.row, part.rows, 1)
                     : k.load(tile.weights, zero, 1, columnPanel(), part.col);
}

Value GradientBuilder::valueProduct(const Part &part, const Tile &tile) {
  int64_t panel = columnPanel();
  Value columnsY = k.subview(tile.transposedY, zero, k.mul(part.col, depthY));
  auto [from, elements] = ahead(tile, &Tile::transposedY, part, panel, depthY);
  return k.matmul(k.subview(y, part.row), columnsY, k.splat(k.real(0), part.rows, panel), depthY,
                  /*transposed=*/false, from, elements);
}

// Where P is 0, dS is, whatever the slope of a score region there.
Value GradientBuilder::scoreGradients(Value dp, const Part &part, const Tile &tile) {
  int64_t panel = columnPanel();
  SmallVector<Value> inputs{k.load(p, zero, part.rows, panel, part.col), dp, ofQueries(slots.sums, part, tile)};
  if (slope)
    inputs.push_back(k.load(ds, zero, part.rows, panel, part.col));
  return k.map(inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value ofScore = body.create<arith::MulFOp>(loc, v[0], body.create<arith::SubFOp>(loc, v[1], v[2]));
    if (!slope)
      return ofScore;
    Value isZero = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[0], k.real(0));
    return body.create<arith::SelectOp>(loc, isZero, v[0], body.create<arith::MulFOp>(loc, ofScore, v[3]));
  });
}

// into[row ..] += factors * plain. The sum over a tile is made apart: added up term by term, the roundings of a column that many see
// would be those of its whole sum, once per pair.
void GradientBuilder::accumulate(Value factors, const Tile &tile, Value Tile::*plain, int64_t width, Value into,
                                 const Part &rowsOfTile) {
  int64_t panel = schedule.plainPanel(width), depth = tileColumns();
  k.loop(zero, k.index(width), panel, [&](Value col) {
    Part part = rowsOfTile;
    part.col = col;
    auto [from, elements] = ahead(tile, plain, part, panel, depth);
    Value sum = k.matmul(k.window(factors, part.rows, depth), k.subview(tile.*plain, zero, k.mul(col, depth)),
                         k.splat(k.real(0), part.rows, panel), depth, /*transposed=*/false, from, elements);
    k.store(k.tileSum(k.load(into, part.row, part.rows, panel, col), sum), into, part.row, col);
  });
}

// Each row tile of a block brings its share of every panel of the next listed tile near, which no hardware foresees.
GradientBuilder::Ahead GradientBuilder::ahead(const Tile &tile, Value Tile::*matrix, const Part &part, int64_t panel,
                                              int64_t depth) {
  if (!tile.next)
    return {};
  int64_t tiles = (rows.block + schedule.rowTile - 1) / schedule.rowTile, share = (depth * panel + tiles - 1) / tiles;
  Value offset = k.add(k.mul(part.col, depth), k.mul(part.tileOfBlock, share));
  return {k.subview(tile.next->*matrix, zero, offset), share};
}
