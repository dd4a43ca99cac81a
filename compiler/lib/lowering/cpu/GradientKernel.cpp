// The item of a pass of the backward: its rows in f32, and what it sums.
#include "GradientBuilder.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static constexpr int64_t storedRows = CpuSchedule::storedGradientRows;

// Where the rows of the group's owner `group` and of `superRow` lie: batch, head, its valid rows (before the length) and present rows.
void GradientBuilder::locate() {
  Value pair = k.add(slots.firstPair, pass.ofKeys ? group : k.div(group, slots.headsPerKV));
  batch = k.div(pair, slots.headsKV);
  head = k.rem(pair, slots.headsKV);
  if (!pass.ofKeys)
    head = k.add(k.mul(head, slots.headsPerKV), k.rem(group, slots.headsPerKV));
  firstRow = k.mul(superRow, rows.superRow);
  Value size = k.index(rows.superRow);
  Value allRows = slots.rows, liveRows = k.tokenCount(slots.rowLengths, batch, slots.rows);
  validColumns = k.tokenCount(slots.columnLengths, batch, slots.columns);
  validKeys = pass.ofKeys ? liveRows : validColumns;
  // Rows and columns that are not tokens: means of blocks, or pools of those that have a token.
  auto countOf = [&](Value tokens, bool isKey) {
    if (isKey && pass.ofMeans)
      return blocksOf(tokens);
    if (!pass.isPooled(isKey))
      return tokens;
    return k.ceilDiv(tokens, isKey ? pass.forward->pools->stride : pass.forward->queryRows());
  };
  allRows = countOf(allRows, pass.ofKeys);
  liveRows = countOf(liveRows, pass.ofKeys);
  validColumns = countOf(validColumns, !pass.ofKeys);
  validRows = k.max(k.min(k.sub(liveRows, firstRow), size), zero);
  presentRows = k.min(k.sub(allRows, firstRow), size);
  scope.validQ = k.tokenCount(pass.ofKeys ? slots.columnLengths : slots.rowLengths, batch,
                              pass.ofKeys ? slots.columns : slots.rows);
  scope.validK = k.tokenCount(pass.ofKeys ? slots.rowLengths : slots.columnLengths, batch,
                              pass.ofKeys ? slots.rows : slots.columns);
  scope.headsKV = slots.headsKV;
  scope.headsPerKV = slots.headsPerKV;
  lastTile = k.div(k.sub(validColumns, k.index(1)), k.index(columns.tile));
}

// The tokens at the item's places.
void GradientBuilder::eachToken(function_ref<void(Value, Value)> body) {
  k.loop(zero, validRows, 1, [&](Value row) {
    Value token = rowsAt.token(k.add(firstRow, row));
    k.when(k.negate(k.less(token, zero)), [&] { body(row, token); });
  });
}

// Rows in f32; those that the last row tile has behind the valid ones are 0, as are places without a token.
void GradientBuilder::fill(const GradientTokens &source, int64_t depth, int64_t width, Value into) {
  Value cols = width == depth ? Value() : k.index(depth), computed = k.add(validRows, schedule.rowTile - 1);
  auto clear = [&](Value from) { k.clearRows(into, from, k.min(computed, k.index(rows.superRow)), width); };
  if (rowsAt.ordered() && !source.inBuffer) {
    Value from = rowsOf(source, zero, depth);
    clear(zero);
    return eachToken([&](Value row, Value token) { k.store(k.load(from, token, 1, width, {}, {}, cols), into, row); });
  }
  Value from = rowsOf(source, firstRow, depth);
  k.loop(zero, validRows, 1, [&](Value row) { k.store(k.load(from, row, 1, width, {}, {}, cols), into, row); });
  clear(validRows);
}

void GradientBuilder::prologue() {
  scale = k.scaled(slots.scale, 1);
  factor = k.scaled(slots.scale, log2e);
  int64_t most = gathers() ? std::max(columns.tile, gatheredColumns) : columns.tile;
  x = k.scratch(scratchRows(), widthX);
  y = k.scratch(scratchRows(), widthY);
  p = k.scratch(schedule.rowTile, most);
  ds = k.scratch(schedule.rowTile, most);
  fill(slots.x, depthX, widthX, x);
  fill(slots.y, depthY, widthY, y);
  prepareTables();
  if (program.isFine() && pass.listed())
    startTakers();
  if (pass.ofTable)
    return;
  dx = k.scratch(scratchRows(), widthX);
  k.clearRows(dx, zero, k.index(rows.superRow), widthX);
  if (pass.ofKeys) {
    dy = k.scratch(rows.superRow, widthY);
    k.clearRows(dy, zero, k.index(rows.superRow), widthY);
    if (gathers())
      startColumnGathering();
    return;
  }
  shares = k.scratch(scratchRows(), 1);
  k.clearRows(shares, zero, k.index(rows.superRow), 1);
  if (gathers())
    startRowGathering();
  if ((hasRegions() && !gathers()) || pass.ofMeans)
    return;
  noBias = k.scratch(1, columns.tile);
  tailBias = k.scratch(1, columns.tile);
  Value lowest = k.real(-std::numeric_limits<float>::infinity());
  k.store(k.splat(k.real(0), 1, columns.tile), noBias, zero);
  k.store(k.splat(lowest, 1, columns.tile), tailBias, zero);
  Value inTail = k.sub(validColumns, k.mul(lastTile, columns.tile));
  k.store(k.splat(k.real(0), 1, columns.tile), tailBias, zero, {}, {}, inTail);
}

// The P of a row add up to 1 but for the rounding of LSE and of the forward's exponents, which grows with the scores. It is taken
// out of dQ, and here out of the P of the keys by what is added to the rests.
void GradientBuilder::normaliseRests() {
  Value rests = k.view(slots.rests, k.add(k.mul(group, slots.queryRows), firstRow), 1);
  k.loop(zero, validRows, storedRows, [&](Value row) {
    Value left = k.sub(validRows, row), sum = k.load(shares, row, storedRows, 1), null = k.real(0);
    Value rest = k.load(rests, row, storedRows, 1, {}, left);
    k.store(k.map({rest, sum},
                  [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
                    Value more = body.create<arith::SubFOp>(loc, v[0], body.create<math::Log2Op>(loc, v[1]));
                    Value empty = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[1], null);
                    return body.create<arith::SelectOp>(loc, empty, v[0], more);
                  }),
            rests, row, {}, left);
  });
}

void GradientBuilder::normalise() {
  normaliseRests();
  k.loop(zero, validRows, storedRows, [&](Value row) {
    Value sum = k.load(shares, row, storedRows, 1), null = k.real(0);
    k.store(k.map({k.load(dx, row, storedRows, widthX), sum},
                  [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
                    Value empty = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[1], null);
                    return body.create<arith::SelectOp>(loc, empty, null, body.create<arith::DivFOp>(loc, v[0], v[1]));
                  }),
            dx, row);
    normaliseTables(row, sum);
  });
}

// Sums of P that passes over the branches of one softmax hand on.
void GradientBuilder::moveShares(bool toKept) {
  Value kept = k.view(slots.keptShares, k.add(k.mul(group, slots.queryRows), firstRow), 1);
  Value from = toKept ? shares : kept, into = toKept ? kept : shares;
  k.loop(zero, validRows, 1, [&](Value row) { k.store(k.load(from, row, 1, 1), into, row); });
}

// Rows times the factor, with what is added to them, and 0 behind the valid ones.
void GradientBuilder::storeRows(const Gradient &gradient) {
  int64_t width = gradient.width;
  Value cols = width == gradient.depth ? Value() : k.index(gradient.depth), added;
  if (gradient.added) {
    Value at = k.mul(k.add(k.mul(group, slots.addedRows), firstRow), gradient.addedWidth);
    added = k.view(gradient.added, at, gradient.addedWidth);
  }
  auto tileOf = [&](Value row, int64_t rows) {
    SmallVector<Value> inputs;
    if (gradient.rows)
      inputs.push_back(k.load(gradient.rows, row, rows, width));
    if (added)
      inputs.push_back(k.load(added, row, rows, width));
    return k.map(inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
      if (!gradient.rows)
        return v[0];
      Value scaled = body.create<arith::MulFOp>(loc, v[0], gradient.factor);
      return added ? body.create<arith::AddFOp>(loc, scaled, v[1]).getResult() : scaled;
    });
  };
  if (rowsAt.ordered() && !gradient.target.inBuffer) {
    Value into = rowsOf(gradient.target, zero, gradient.depth);
    return eachToken([&](Value row, Value token) { k.store(tileOf(row, 1), into, token, {}, {}, cols); });
  }
  Value into = rowsOf(gradient.target, firstRow, gradient.depth);
  k.loop(zero, validRows, storedRows,
         [&](Value row) { k.store(tileOf(row, storedRows), into, row, {}, k.sub(validRows, row), cols); });
  k.loop(validRows, presentRows, storedRows, [&](Value row) {
    k.store(k.splat(k.real(0), storedRows, width), into, row, {}, k.sub(presentRows, row), cols);
  });
}

void GradientBuilder::epilogue() {
  bool adds = program.linear || pass.addsToSums() || pass.stores, isSum = slots.dx->inBuffer;
  storeRows(
      {*slots.dx, isSum ? widthX : depthX, widthX, dx, scale, adds ? slots.addedX : Value(), schedule.featureDim});
  if (pass.ofKeys)
    storeRows(
        {*slots.dy, isSum ? widthY : depthY, widthY, dy, k.real(1), adds ? slots.addedY : Value(), schedule.valueDim});
}

void GradientBuilder::sumPairs() {
  prologue();
  if (pass.forward->means && !pass.ofMeans)
    startFromMeans();
  Value some = k.less(zero, k.min(validRows, validColumns));
  auto visit = [&](Value owner) {
    startTables();
    k.when(some, [&] { visitHead(owner); });
  };
  if (pass.ofKeys) // the heads that share these keys, in their order
    return k.loop(zero, slots.headsPerKV, 1, [&](Value r) {
      Value owner = k.add(k.mul(group, slots.headsPerKV), r);
      visit(owner);
      keepTables(owner);
    });
  if (pass.sharesSoftmax() && pass.forward->start)
    moveShares(/*toKept=*/false);
  visit(group);
  if (!pass.ofMeans && (pass.isWhole() || pass.means))
    normalise();
  else if (pass.sharesSoftmax() && pass.rows == pass.forward) // the last one
    normaliseRests();
  else if (pass.sharesSoftmax())
    moveShares(/*toKept=*/true);
  keepTables(group);
}

void GradientBuilder::build() {
  zero = k.index(0);
  if (pass.ofTable)
    return buildTable();
  superRow = k.item(0);
  group = k.item(1);
  locate();
  if (pass.forward->exact && !pass.stores)
    sumPairs();
  if (pass.ofMeans)
    keepMeans();
  else
    epilogue();
  k.end();
}

void compiler::buildGradient(ModuleOp module, const Program &program, const GradientPass &pass,
                             const CpuSchedule &schedule) {
  GradientBuilder(module, program, pass, schedule).build();
}
