// Means of marginal blocks as keys of the backward: a query has n_j e^s of block j's mean under the softmax of its tokens. What the
// passes over them sum is kept, and the passes over tokens go on from it.
#include "GradientBuilder.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

Value GradientBuilder::tokensOfBlock(Value block) {
  return k.min(k.sub(validKeys, k.mul(block, schedule.blockK)), k.index(schedule.blockK));
}

static Value realOf(KernelBuilder &k, Value integer) {
  return k.raw().create<arith::SIToFPOp>(k.location(), k.raw().getF32Type(), k.narrow(integer));
}

// log2 n_j of blocks that are marginal in a row of classes, -inf of others, one below or beside the other. How many are.
Value GradientBuilder::weighMeans(Value classRow, Value firstBlock, Value blocks, bool areRows) {
  Value lowest = k.real(-std::numeric_limits<float>::infinity());
  return k.loop(zero, blocks, 1, zero, [&](Value number, ValueRange carried) {
    Value block = k.add(firstBlock, number);
    Value isMarginal = k.equal(k.read(slots.classes, k.add(classRow, block)), zero);
    Value count = k.splat(realOf(k, tokensOfBlock(block)), 1, 1), at = areRows ? number : zero;
    Value weight = k.map({count}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
      return body.create<arith::SelectOp>(loc, isMarginal, body.create<math::Log2Op>(loc, v[0]).getResult(), lowest);
    });
    k.store(weight, meanWeights, at, areRows ? Value() : number);
    return SmallVector<Value>{k.add(carried[0], k.select(isMarginal, k.index(1), zero))};
  })[0];
}

// Rows queries: every tile of means, for the blocks of rows to which some are marginal. Rows means: every tile of queries, which is of
// one block, likewise.
void GradientBuilder::meanTiles(Value owner) {
  Value queryHead = pass.ofKeys ? k.add(k.mul(head, slots.headsPerKV), k.rem(owner, slots.headsPerKV)) : head;
  Value classes = k.add(k.mul(batch, slots.classStrideB), k.mul(queryHead, slots.classStrideH));
  auto classRow = [&](Value block) { return k.add(classes, k.mul(block, slots.classStrideI)); };
  meanWeights = pass.ofKeys ? k.scratch(rows.superRow, 1) : k.scratch(1, columns.tile);
  auto exclude = [&](int64_t height, int64_t width) {
    k.store(k.splat(k.real(-std::numeric_limits<float>::infinity()), height, width), meanWeights, zero);
  };
  k.loop(zero, k.add(lastTile, 1), 1, [&](Value number) {
    Tile tile = packedTile(owner, number);
    tile.weights = meanWeights;
    if (pass.ofKeys) {
      exclude(rows.superRow, 1);
      Value block = k.div(tile.first, k.index(schedule.blockQ));
      Value some = weighMeans(classRow(block), firstRow, validRows, /*areRows=*/true);
      k.when(k.notEqual(some, zero), [&] { visit(zero, rows.superRow, tile); });
      return;
    }
    Value blocks = k.min(k.sub(validColumns, tile.first), k.index(columns.tile));
    k.loop(zero, k.index(rows.superRow), rows.block, [&](Value row) {
      k.when(k.less(row, validRows), [&] {
        exclude(1, columns.tile);
        Value block = k.div(k.add(firstRow, row), k.index(schedule.blockQ));
        Value some = weighMeans(classRow(block), tile.first, blocks, /*areRows=*/false);
        k.when(k.notEqual(some, zero), [&] { visit(row, rows.block, tile); });
      });
    });
  });
}

// Sums of a pass over means: of queries as they are, with those of P; of a mean to each of its tokens alike.
void GradientBuilder::keepMeans() {
  Value intoX = rowsOf(*slots.dx, zero, widthX);
  if (!pass.ofKeys) {
    Value ofRows = k.view(slots.meanShares, k.add(k.mul(group, slots.queryRows), firstRow), 1);
    k.loop(zero, validRows, 1, [&](Value row) {
      k.store(k.load(dx, row, 1, widthX), intoX, k.add(firstRow, row));
      k.store(k.load(shares, row, 1, 1), ofRows, row);
    });
    return;
  }
  Value intoY = rowsOf(*slots.dy, zero, widthY);
  k.loop(zero, validRows, 1, [&](Value row) {
    Value block = k.add(firstRow, row), tokens = tokensOfBlock(block), count = realOf(k, tokens);
    auto share = [&](Value from, int64_t width) {
      return k.map({k.load(from, row, 1, width)}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
        return body.create<arith::DivFOp>(loc, v[0], count);
      });
    };
    Value ofX = share(dx, widthX), ofY = share(dy, widthY), first = k.mul(block, schedule.blockK);
    k.loop(first, k.add(first, tokens), 1, [&](Value token) {
      k.store(ofX, intoX, token);
      k.store(ofY, intoY, token);
    });
  });
}

void GradientBuilder::startFromMeans() {
  auto start = [&](Value from, int64_t width, Value into) {
    Value view = k.view(from, k.mul(k.add(k.mul(group, slots.addedRows), firstRow), width), width);
    k.loop(zero, validRows, 1, [&](Value row) { k.store(k.load(view, row, 1, width), into, row); });
  };
  start(slots.addedX, widthX, dx);
  if (pass.ofKeys)
    return start(slots.addedY, widthY, dy);
  startShares();
}

// The sums of P of a row start from those of its means.
void GradientBuilder::startShares() {
  Value ofRows = k.view(slots.meanShares, k.add(k.mul(group, slots.queryRows), firstRow), 1);
  k.loop(zero, validRows, 1, [&](Value row) { k.store(k.load(ofRows, row, 1, 1), shares, row); });
}
