// The tiles of columns that an item of the backward visits, and one tile against a few rows.
#include "GradientBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// `owner`: the query head, by its number in the group, whose pairs are visited.
void GradientBuilder::visitHead(Value owner) {
  if (pass.listed())
    listedTiles(owner);
  else
    allTiles(owner);
}

void GradientBuilder::allTiles(Value owner) {
  k.loop(zero, k.add(lastTile, 1), 1, [&](Value tile) { visit(zero, rows.superRow, packedTile(owner, tile)); });
}

// The tiles that the item's list names, each for the blocks of rows in its mask.
void GradientBuilder::listedTiles(Value owner) {
  Value list = k.add(k.mul(owner, slots.superRows), k.item(0)), entries = k.mul(k.mul(list, slots.capacity), 2);
  k.loop(zero, k.read(slots.counts, list), 1, [&](Value e) {
    Value at = k.add(entries, k.mul(e, 2)), mask = k.read(slots.lists, k.add(at, 1));
    Tile tile = packedTile(owner, k.read(slots.lists, at));
    k.loop(zero, k.index(rows.superRow / rows.block), 1, [&](Value block) {
      Value takesPart = k.notEqual(k.bitAnd(k.shiftRight(mask, block), k.index(1)), zero);
      k.when(takesPart, [&] { visit(k.mul(block, rows.block), rows.block, tile); });
    });
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
  if (pass.ofKeys) {
    result.plainY = plain(slots.plainY, widthY);
    result.query = k.add(k.mul(owner, slots.queryRows), k.mul(tile, columns.tile));
  } else {
    result.bias = k.selectView(k.equal(tile, lastTile), tailBias, noBias);
    result.query = k.add(k.mul(owner, slots.queryRows), firstRow);
  }
  return result;
}

// Rows of the item from `first` on, `count` of them where so many are valid: row tiles, and one of those that are left where
// they do not divide the count.
void GradientBuilder::visit(Value first, int64_t count, const Tile &tile) {
  int64_t step = schedule.rowTile, whole = count / step * step;
  Value left = k.sub(validRows, first);
  k.loop(first, k.add(first, k.min(k.roundUp(left, step), k.index(whole))), step,
         [&](Value row) { visitRows(row, step, tile); });
  if (int64_t rest = count - whole)
    k.when(k.less(k.index(whole), left), [&] { visitRows(k.add(first, whole), rest, tile); });
}

// P and dS go to memory panel by panel, from where they are read for every panel of what they multiply.
void GradientBuilder::visitRows(Value row, int64_t count, const Tile &tile) {
  int64_t panel = columnPanel();
  k.loop(zero, k.index(columns.tile), panel, [&](Value col) {
    k.store(probabilities(row, count, col, tile), p, zero, col);
    k.store(scoreGradients(k.load(p, zero, count, panel, col), row, count, col, tile), ds, zero, col);
  });
  accumulate(ds, tile.plainX, widthX, dx, row, count);
  if (pass.ofKeys)
    accumulate(p, tile.plainY, widthY, dy, row, count);
}

// What a value of queries is for a part of a tile: one per row, or one per column.
Value GradientBuilder::ofQueries(Value values, Value row, int64_t count, Value col, const Tile &tile) {
  if (pass.ofKeys)
    return k.load(k.view(values, k.add(tile.query, col), columnPanel()), zero, 1, columnPanel());
  return k.load(k.view(values, k.add(tile.query, row), 1), zero, count, 1);
}

Value GradientBuilder::probabilities(Value row, int64_t count, Value col, const Tile &tile) {
  int64_t panel = columnPanel();
  Value start =
      tile.bias ? k.repeatRows(k.load(tile.bias, zero, 1, panel, col), count) : k.splat(k.real(0), count, panel);
  Value columnsX = k.subview(tile.transposedX, zero, k.mul(col, depthX));
  Value scores = k.matmul(k.subview(x, row), columnsX, start, depthX);
  Value shift = ofQueries(slots.shifts, row, count, col, tile), rest = ofQueries(slots.rests, row, count, col, tile);
  return k.map({scores, shift, rest}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value exponent = body.create<math::FmaOp>(loc, v[0], factor, v[1]);
    return body.create<math::Exp2Op>(loc, body.create<arith::AddFOp>(loc, exponent, v[2]));
  });
}

Value GradientBuilder::scoreGradients(Value p, Value row, int64_t count, Value col, const Tile &tile) {
  Value columnsY = k.subview(tile.transposedY, zero, k.mul(col, depthY));
  Value dp = k.matmul(k.subview(y, row), columnsY, k.splat(k.real(0), count, columnPanel()), depthY);
  return k.map({p, dp, ofQueries(slots.sums, row, count, col, tile)},
               [](OpBuilder &body, Location loc, ValueRange v) -> Value {
                 return body.create<arith::MulFOp>(loc, v[0], body.create<arith::SubFOp>(loc, v[1], v[2]));
               });
}

// into[row ..] += factors * plain
void GradientBuilder::accumulate(Value factors, Value plain, int64_t width, Value into, Value row, int64_t count) {
  int64_t panel = schedule.plainPanel(width);
  k.loop(zero, k.index(width), panel, [&](Value col) {
    Value matrix = k.subview(plain, zero, k.mul(col, columns.tile));
    Value sum =
        k.matmul(k.window(factors, count, columns.tile), matrix, k.load(into, row, count, panel, col), columns.tile);
    k.store(sum, into, row, col);
  });
}
