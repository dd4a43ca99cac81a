// attend: the sparse loop of a super row, with block means under the same softmax, and the projected linear branch
// added in the epilogue. Here: the item, its memory and its order.
#include "AttendBuilder.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// Where the item lies: pair and head, its first token, its valid rows (before q_len) and present rows (before N).
void AttendBuilder::locate() {
  Value gr = k.item(1);
  zero = k.index(0);
  g = k.div(gr, slots.headsPerKV);
  Value pair = k.add(slots.firstPair, g);
  batch = k.div(pair, slots.headsKV);
  head = k.add(k.mul(k.rem(pair, slots.headsKV), slots.headsPerKV), k.rem(gr, slots.headsPerKV));
  firstToken = k.mul(k.item(0), schedule.superRow);
  queriesAt.startBatch(batch);
  keysAt.startBatch(batch);
  scope.validQ = k.tokenCount(slots.qLengths, batch, slots.tokensQ);
  scope.validK = k.tokenCount(slots.kLengths, batch, slots.tokensK);
  scope.headsKV = slots.headsKV;
  scope.headsPerKV = slots.headsPerKV;
  tokensQ = k.ceilDiv(slots.tokensQ, stage.queryRows());
  validQ = k.ceilDiv(scope.validQ, stage.queryRows());
  validK = stage.pools ? k.ceilDiv(scope.validK, stage.pools->stride) : scope.validK;
  scope.validQ = queriesAt.tokens(scope.validQ);
  scope.validK = keysAt.tokens(scope.validK);
  Value rows = k.index(schedule.superRow);
  validRows = k.max(k.min(k.sub(validQ, firstToken), rows), zero);
  presentRows = k.min(k.sub(tokensQ, firstToken), rows);
  lowest = k.real(-std::numeric_limits<float>::infinity());
  if (stage.chosen >= 0)
    chooseHeads();
}

// No row of a head that chooses another stage; none that is valid of one that chooses no stage, if this one sees to it.
void AttendBuilder::chooseHeads() {
  Value chosen = k.read(further.choice, k.mul(head, further.choiceStride));
  Value runs = k.equal(chosen, k.index(stage.chosen)), stores = runs;
  if (stage.choices > 0) {
    Value isNone = k.negate(k.bitAnd(k.negate(k.less(chosen, zero)), k.less(chosen, k.index(stage.choices))));
    stores = k.bitOr(runs, isNone);
  }
  validRows = k.select(runs, validRows, zero);
  presentRows = k.select(stores, presentRows, zero);
}

Value AttendBuilder::offsetOf(bool inBuffer, Value strideB, Value strideH, Value strideN) {
  Value ofHead = inBuffer ? k.mul(k.item(1), strideH) : k.add(k.mul(batch, strideB), k.mul(head, strideH));
  return queriesAt.ordered() && !inBuffer ? ofHead : k.add(ofHead, k.mul(firstToken, strideN));
}

// Q in f32, empty accumulators, and the bias rows of whole and of tail tiles.
void AttendBuilder::prologue() {
  int64_t D = program.headDim, paddedD = (D + 15) / 16 * 16;
  queries = k.scratch(scratchRows(), paddedD);
  acc = k.scratch(scratchRows(), schedule.valueDim);
  max = k.scratch(scratchRows(), 1);
  sum = k.scratch(scratchRows(), 16);
  noBias = k.scratch(1, std::max(schedule.keyTile, meanTile));
  tailBias = k.scratch(1, std::max(schedule.keyTile, meanTile));
  Value offset = offsetOf(stage.queryRows() > 1, slots.qStrideB, slots.qStrideH, slots.qStrideN);
  Value source = k.view(slots.q, offset, D, slots.qStrideN);
  factor = k.scaled(slots.scale, log2e);
  Value cols = paddedD == D ? Value() : k.index(D);
  k.loop(zero, validRows, 1, [&](Value row) {
    Value from = queriesAt.rowOf(firstToken, row);
    auto copy = [&] { k.store(k.load(source, from, 1, paddedD, {}, {}, cols), queries, row); };
    if (!queriesAt.ordered())
      return copy();
    k.when(
        k.less(from, zero), [&] { k.store(k.splat(k.real(0), 1, paddedD), queries, row); }, copy);
  });
  if (schedule.inPanels)
    probabilities = k.scratch(schedule.rowTile, std::max(schedule.keyTile, meanTile));
  if (schedule.inPanels && stage.startsExactly)
    shifts = k.scratch(schedule.rowTile, 1);
  // The last row tile of a block may reach past the valid rows, never past the block.
  Value computedRows = k.min(k.add(validRows, schedule.rowTile - 1), k.index(schedule.superRow));
  k.clearRows(queries, validRows, computedRows, paddedD);
  k.loop(zero, computedRows, 1, [&](Value row) {
    k.store(k.splat(k.real(0), 1, schedule.valueDim), acc, row);
    k.store(k.splat(lowest, 1, 1), max, row);
    k.store(k.splat(k.real(0), 1, 16), sum, row);
  });
  k.store(k.splat(k.real(0), 1, std::max(schedule.keyTile, meanTile)), noBias, zero);
  k.store(k.splat(lowest, 1, std::max(schedule.keyTile, meanTile)), tailBias, zero);
  Value lastKey = k.sub(validK, k.index(1));
  lastTile = k.div(lastKey, k.index(schedule.keyTile));
  Value inTail = k.sub(validK, k.mul(lastTile, schedule.keyTile));
  hasTail = k.less(inTail, k.index(schedule.keyTile));
  k.store(k.splat(k.real(0), 1, schedule.keyTile), tailBias, zero, {}, {}, inTail);
  if (stage.means)
    columnBias = k.scratch(1, meanTile);
  if (stage.listed && program.isFine())
    startTakers(computedRows);
}

// What regions over pairs need before the loop: what depends on batch and head, and what on the query.
void AttendBuilder::startRegions() {
  keyCount = k.narrow(validK);
  auto start = [&](std::optional<HoistedRegion> &region, Region &body, unsigned first) {
    region.emplace(k, body, scope, first, batch, head, schedule.superRow, schedule.keyTile);
    region->prepareRows(validRows, [&](Value row) { return queriesAt.token(k.add(firstToken, row)); });
  };
  if (stage.mask)
    start(mask, *stage.mask, 0);
  if (stage.score) {
    scale = k.scaled(slots.scale, 1);
    start(score, *stage.score, 1);
  }
}

void AttendBuilder::build() {
  locate();
  if (stage.exact) {
    prologue();
    k.when(k.less(zero, k.min(validRows, validK)), [&] {
      startRegions();
      exactLoop();
    });
    if (stage.start)
      addState();
  }
  epilogue();
  k.end();
}

void compiler::buildAttend(ModuleOp module, const Program &program, const AttendStage &stage,
                           const CpuSchedule &schedule) {
  AttendBuilder(module, program, stage, schedule).build();
}
