// attend: the tiles that an item visits.
#include "AttendBuilder.h"

#include "tercet/Builtins.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// log2 n_j where block j is marginal for this query block, -inf elsewhere: n_j exp(s) enters the
// softmax as exp(s + ln n_j).
Value AttendBuilder::meanBias(Value tile, Value queryBlock) {
  Value base = k.add(k.add(k.mul(batch, slots.classStrideB), k.mul(head, slots.classStrideH)),
                     k.mul(queryBlock, slots.classStrideI));
  k.store(k.splat(lowest, 1, meanTile), columnBias, zero);
  Value firstBlock = k.mul(tile, meanTile);
  Value end = k.min(k.index(meanTile), k.sub(k.ceilDiv(validK, schedule.blockK), firstBlock));
  k.loop(zero, end, 1, [&](Value column) {
    Value block = k.add(firstBlock, column);
    k.when(k.equal(k.read(slots.classes, k.add(base, block)), zero), [&] {
      Value tokens = keysAt.count(block, schedule.blockK, validK);
      Value count = k.raw().create<arith::SIToFPOp>(
          k.location(), k.raw().getF32Type(),
          k.raw().create<arith::IndexCastOp>(k.location(), k.raw().getI32Type(), tokens));
      Value weight = k.map({k.splat(count, 1, 1)}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
        return body.create<math::Log2Op>(loc, v[0]);
      });
      k.store(weight, columnBias, zero, column);
    });
  });
  return columnBias;
}

// How many keys of a tile are valid.
Value AttendBuilder::keysOfTile(Value tile) {
  Value parts = k.index(schedule.blockK / schedule.keyTile);
  Value inBlock = keysAt.count(k.div(tile, parts), schedule.blockK, validK);
  return k.min(k.sub(inBlock, k.mul(k.rem(tile, parts), schedule.keyTile)), k.index(schedule.keyTile));
}

// Tile `tile` of the item's pair; the last one ends with the valid keys, under a token order any may.
Tile AttendBuilder::packedTile(Value tile) {
  Value at = k.add(k.mul(g, slots.tilesPerPair), tile);
  Value isLast = keysAt.ordered() ? k.less(keysOfTile(tile), k.index(schedule.keyTile)) : k.equal(tile, lastTile);
  return {.keys = k.view(slots.packedK, k.mul(at, program.headDim * schedule.keyTile), schedule.keyPanel),
          .values = k.view(slots.packedV, k.mul(at, schedule.keyTile * schedule.valueDim), schedule.valuePanel),
          .bias = k.selectView(isLast, tailBias, noBias),
          .cols = schedule.keyTile,
          .keyStep = program.headDim * schedule.keyPanel,
          .valueStep = schedule.keyTile * schedule.valuePanel,
          .firstKey = k.mul(tile, schedule.keyTile),
          .endKey = keysAt.ordered() ? k.narrow(k.add(k.mul(tile, schedule.keyTile), keysOfTile(tile))) : keyCount,
          .restricted = keysAt.ordered() ? isLast : k.bitAnd(isLast, hasTail)};
}

// What regions take from keys alone, for the tile that is visited next; and its bias, where any tile may be a tail.
void AttendBuilder::prepareKeys(Value tile) {
  if (keysAt.ordered()) {
    tile = k.min(tile, lastTile); // tiles of means have none
    k.when(k.less(keysOfTile(tile), k.index(schedule.keyTile)), [&] {
      k.store(k.splat(lowest, 1, schedule.keyTile), tailBias, zero);
      k.store(k.splat(k.real(0), 1, schedule.keyTile), tailBias, zero, {}, {}, keysOfTile(tile));
    });
  }
  Value first = k.mul(tile, schedule.keyTile);
  for (std::optional<HoistedRegion> *region : {&score, &mask})
    if (*region)
      (*region)->prepareColumns(first, keysAt.ordered() ? keysAt.positions(first, 1, schedule.keyTile) : Value());
}

// Dense: every tile.
void AttendBuilder::allTiles() {
  k.loop(zero, k.ceilDiv(validK, schedule.keyTile), 1, [&](Value tile) {
    Tile packed = packedTile(tile);
    prepareKeys(tile);
    k.loop(zero, k.index(schedule.visitsPerRow()), 1,
           [&](Value sub) { visit(k.mul(sub, schedule.visitRows), packed); });
  });
}

// The tiles that the super row's list names, each for the query blocks in its mask.
void AttendBuilder::listedTiles() {
  Value list = k.add(k.mul(k.item(1), slots.superRows), k.item(0)), count = k.read(slots.counts, list);
  Value entries = k.mul(k.mul(list, slots.capacity), 2), lastEntry = k.sub(count, k.index(1));
  auto hasBit = [&](Value bits, Value at) { return k.notEqual(k.bitAnd(k.shiftRight(bits, at), k.index(1)), zero); };
  auto tileOf = [&](Value e) { return k.read(slots.lists, k.add(entries, k.mul(e, 2))); };
  k.loop(zero, count, 1, [&](Value e) {
    Value tile = tileOf(e), next = tileOf(k.min(k.add(e, 1), lastEntry));
    Value entry = k.read(slots.lists, k.add(k.add(entries, k.mul(e, 2)), 1));
    prepareKeys(tile);
    if (taken)
      return takenTile(k.add(k.mul(list, slots.capacity), e), tile, next, entry);
    k.loop(zero, k.index(schedule.visitsPerRow()), 1, [&](Value sub) {
      k.when(hasBit(entry, sub), [&] {
        Value firstRow = k.mul(sub, schedule.visitRows);
        auto exact = [&] {
          Tile packed = packedTile(tile), ahead = packedTile(k.min(next, lastTile));
          if (mask)
            packed.restricted = k.bitOr(packed.restricted, hasBit(entry, k.add(sub, partialBit)));
          packed.nextKeys = ahead.keys;
          packed.nextValues = ahead.values;
          visit(firstRow, packed);
        };
        if (!stage.means)
          return exact();
        k.when(k.less(tile, k.index(meanTileBit)), exact,
               [&] { visit(firstRow, meansTile(k.sub(tile, k.index(meanTileBit)), sub)); });
      });
    });
  });
}

// Block means of 64 key blocks, weighted by their tokens.
Tile AttendBuilder::meansTile(Value mean, Value sub) {
  Value at = k.add(k.mul(g, slots.meanTilesPerPair), mean);
  return {.keys = k.view(slots.meanK, k.mul(at, program.headDim * meanTile), meanTile),
          .values = k.view(slots.meanV, k.mul(at, meanTile * schedule.valueDim), schedule.valueDim),
          .bias = meanBias(mean, k.add(k.mul(k.item(0), schedule.visitsPerRow()), sub)),
          .cols = meanTile,
          .keyStep = schedule.keyPanel,
          .valueStep = schedule.valuePanel,
          .weighted = true};
}

void AttendBuilder::exactLoop() {
  if (stage.listed)
    listedTiles();
  else if (mask)
    maskedTiles();
  else
    allTiles();
}
