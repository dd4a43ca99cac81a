// attend without classification under a mask: each tile is skipped, visited as it is, or visited pair by pair, as intervals
// of positions say. No list is made: what a window leaves out of a million tokens is skipped 64 tiles at a time.
#include "AttendBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// Rows of the item from firstRow to before endRow, tiles likewise; neither is empty. Only valid tokens count. Under a token
// order the queries of a row may be any.
PairReach AttendBuilder::reach(Value firstRow, Value endRow, Value firstTile, Value endTile) {
  Value one = k.index(1);
  Value first = queriesAt.ordered() ? zero : k.add(firstToken, firstRow);
  Value end = queriesAt.ordered() ? scope.validQ : k.add(firstToken, endRow);
  return reachOf(k, *mask, ranges,
                 {.firstQuery = first,
                  .lastQuery = k.sub(end, one),
                  .firstKey = k.mul(firstTile, schedule.keyTile),
                  .lastKey = k.sub(k.min(k.mul(endTile, schedule.keyTile), validK), one)});
}

void AttendBuilder::maskedTiles() {
  Value tiles = k.add(lastTile, 1);
  k.loop(zero, k.ceilDiv(tiles, coarseTiles), 1, [&](Value chunk) {
    Value first = k.mul(chunk, coarseTiles), end = k.min(k.add(first, coarseTiles), tiles);
    k.when(reach(zero, validRows, first, end).some, [&] {
      k.loop(first, end, 1,
             [&](Value tile) { k.when(reach(zero, validRows, tile, k.add(tile, 1)).some, [&] { maskedTile(tile); }); });
    });
  });
}

// The query blocks that have an allowed pair in the tile.
void AttendBuilder::maskedTile(Value tile) {
  Tile packed = packedTile(tile);
  Value hasOut = packed.restricted;
  prepareKeys(tile);
  k.loop(zero, k.ceilDiv(validRows, schedule.blockQ), 1, [&](Value sub) {
    Value firstRow = k.mul(sub, schedule.blockQ), endRow = k.min(k.add(firstRow, schedule.blockQ), validRows);
    PairReach here = reach(firstRow, endRow, tile, k.add(tile, 1));
    k.when(here.some, [&] {
      packed.restricted = k.bitOr(hasOut, k.negate(here.all));
      visit(firstRow, packed);
    });
  });
}
