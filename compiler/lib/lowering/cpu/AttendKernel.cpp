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
  validQ = k.tokenCount(slots.qLengths, batch, slots.tokensQ);
  validK = k.tokenCount(slots.kLengths, batch, slots.tokensK);
  Value rows = k.index(schedule.superRow);
  validRows = k.max(k.min(k.sub(validQ, firstToken), rows), zero);
  presentRows = k.min(k.sub(slots.tokensQ, firstToken), rows);
  lowest = k.real(-std::numeric_limits<float>::infinity());
}

// Q in f32, empty accumulators, and the bias rows of whole and of tail tiles.
void AttendBuilder::prologue() {
  int64_t D = program.headDim, paddedD = (D + 15) / 16 * 16;
  queries = k.scratch(schedule.superRow, paddedD);
  acc = k.scratch(schedule.superRow, schedule.valueDim);
  max = k.scratch(schedule.superRow, 1);
  sum = k.scratch(schedule.superRow, 16);
  noBias = k.scratch(1, std::max(schedule.keyTile, meanTile));
  tailBias = k.scratch(1, std::max(schedule.keyTile, meanTile));
  Value offset =
      k.add(k.add(k.mul(batch, slots.qStrideB), k.mul(head, slots.qStrideH)), k.mul(firstToken, slots.qStrideN));
  Value source = k.view(slots.q, offset, D, slots.qStrideN);
  factor = k.scaled(slots.scale, log2e);
  Value cols = paddedD == D ? Value() : k.index(D);
  k.loop(zero, validRows, 1, [&](Value row) { k.store(k.load(source, row, 1, paddedD, {}, {}, cols), queries, row); });
  Value computedRows = k.roundUp(validRows, schedule.rowTile);
  k.loop(validRows, computedRows, 1, [&](Value row) { k.store(k.splat(k.real(0), 1, paddedD), queries, row); });
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
  if (program.means)
    columnBias = k.scratch(1, meanTile);
}

// What regions over pairs need before the loop: what depends on batch and head, and what on the query.
void AttendBuilder::startRegions() {
  scope.validQ = validQ;
  scope.validK = validK;
  scope.headsKV = slots.headsKV;
  scope.headsPerKV = slots.headsPerKV;
  keyCount = k.narrow(validK);
  auto start = [&](std::optional<HoistedRegion> &region, Region &body, unsigned first) {
    region.emplace(k, body, scope, first, batch, head, schedule.superRow, schedule.keyTile);
    region->prepareRows(firstToken, validRows);
  };
  if (Region *allowed = program.maskRegion())
    start(mask, *allowed, 0);
  if (program.score) {
    scale = k.scaled(slots.scale, 1);
    start(score, *program.score, 1);
  }
}

void AttendBuilder::build() {
  locate();
  if (program.exact) {
    prologue();
    k.when(k.less(zero, k.min(validRows, validK)), [&] {
      startRegions();
      exactLoop();
    });
  }
  epilogue();
  k.end();
}

void compiler::buildAttend(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  AttendBuilder(module, program, schedule).build();
}
