// attend without classification under a mask: each tile is skipped, visited as it is, or visited pair by pair, as intervals
// of positions say. No list is made: what a window leaves out of a million tokens is skipped 64 tiles at a time.
#include "AttendBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// Rows of the item from firstRow to before endRow, tiles likewise; neither is empty. Only valid tokens count.
PairReach AttendBuilder::reach(Value firstRow, Value endRow, Value firstTile, Value endTile) {
  Value one = k.index(1);
  auto [firstQuery, lastQuery] = queriesOf(firstRow, endRow);
  return reachOf(k, *mask, ranges,
                 {.firstQuery = firstQuery,
                  .lastQuery = lastQuery,
                  .firstKey = k.mul(firstTile, schedule.keyTile),
                  .lastKey = k.sub(k.min(k.mul(endTile, schedule.keyTile), validK), one)});
}

// Under a token order those of a block lie between its first and its last token; of several blocks they may be any.
std::pair<Value, Value> AttendBuilder::queriesOf(Value firstRow, Value endRow) {
  Value one = k.index(1), first = k.add(firstToken, firstRow), end = k.add(firstToken, endRow);
  if (!queriesAt.ordered())
    return {first, k.sub(end, one)};
  Value block = k.div(first, k.index(schedule.blockQ)), begin = k.mul(block, schedule.blockQ);
  Value left = k.max(queriesAt.count(block, schedule.blockQ, validQ), one), last = k.sub(k.add(begin, left), one);
  Value isOne = k.negate(k.less(k.add(begin, schedule.blockQ), end));
  return {k.select(isOne, queriesAt.token(begin), zero),
          k.select(isOne, queriesAt.token(last), k.sub(scope.validQ, one))};
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
  eachReachedBlock(k, validRows, schedule.visitRows, reachOfRows, [&](Value firstRow, Value restricted) {
    packed.restricted = k.bitOr(hasOut, restricted);
    visit(firstRow, packed);
  });
}
