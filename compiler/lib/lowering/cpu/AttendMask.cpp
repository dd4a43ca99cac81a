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
  auto reachOfTiles = [&](Value first, Value end) { return reach(zero, validRows, first, end); };
  eachReachedTile(k, k.add(lastTile, 1), reachOfTiles, [&](Value tile) { maskedTile(tile); });
}

void AttendBuilder::maskedTile(Value tile) {
  Tile packed = packedTile(tile);
  Value hasOut = packed.restricted;
  prepareKeys(tile);
  auto reachOfRows = [&](Value first, Value end) { return reach(first, end, tile, k.add(tile, 1)); };
  eachReachedBlock(k, validRows, schedule.blockQ, reachOfRows, [&](Value firstRow, Value restricted) {
    packed.restricted = k.bitOr(hasOut, restricted);
    visit(firstRow, packed);
  });
}
