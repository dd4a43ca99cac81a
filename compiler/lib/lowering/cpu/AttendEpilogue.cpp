// attend: O and LSE of an item's rows, with the projected linear branch.
#include "AttendBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static constexpr double ln2 = 0.6931471805599453;

// O_l W^T of `rows` rows from `row` on, O_l itself without a projection, and 0 where the linear set is empty.
Value AttendBuilder::projectedTile(Value row, int64_t rows) {
  Value token = k.add(k.mul(k.item(1), k.mul(slots.blocksQ, schedule.blockQ)), k.add(firstToken, row));
  Value plain = k.view(slots.linear, k.mul(token, schedule.valueDim), schedule.valueDim);
  Value projected = k.scratch(rows, schedule.valueDim);
  auto copy = [&] { k.store(k.load(plain, zero, rows, schedule.valueDim), projected, zero); };
  auto multiply = [&] {
    Value weights = k.view(slots.packedW, zero, schedule.valueDim);
    for (int64_t col = 0; col < schedule.valueDim; col += 64) {
      int64_t cols = std::min<int64_t>(64, schedule.valueDim - col);
      Value product =
          k.matmul(plain, k.subview(weights, zero, k.index(col)), k.splat(k.real(0), rows, cols), program.valueDim);
      k.store(product, projected, zero, k.index(col));
    }
  };
  auto project = [&] {
    if (program.weight.empty())
      copy();
    else
      k.when(k.isNull(slots.w), copy, multiply);
  };
  if (program.globalState()) {
    project();
  } else {
    Value block = k.add(k.mul(k.item(1), slots.blocksQ), k.div(k.add(firstToken, row), k.index(schedule.blockQ)));
    k.when(k.notEqual(k.read(slots.linearCounts, block), zero), project,
           [&] { k.store(k.splat(k.real(0), rows, schedule.valueDim), projected, zero); });
  }
  return k.load(projected, zero, rows, schedule.valueDim);
}

// O_l W^T + b.
Value AttendBuilder::linearTile(Value row, int64_t rows) {
  Value projected = projectedTile(row, rows);
  if (program.weight.empty())
    return projected;
  Value bias = k.view(slots.packedB, zero, schedule.valueDim);
  return k.tileSum(projected, k.load(bias, zero, 1, schedule.valueDim));
}

// LSE of rows from `row` on, `left` of them, where it is asked for.
void AttendBuilder::storeLse(Value row, Value left, function_ref<Value()> make) {
  k.when(k.negate(k.isNull(slots.lse)), [&] {
    Value offset = offsetOf(!stage.storesOutput, slots.lseStrideB, slots.lseStrideH, slots.lseStrideN);
    storeRows(make(), k.view(slots.lse, offset, 1, slots.lseStrideN), row, left, 1, {}, lowest);
  });
}

void AttendBuilder::storeRest(Value row, Value left, function_ref<Value()> make) {
  k.when(k.negate(k.isNull(further.rest)), [&] {
    Value offset = offsetOf(!stage.storesOutput, further.restStrideB, further.restStrideH, further.restStrideN);
    storeRows(make(), k.view(further.rest, offset, 1, further.restStrideN), row, left, 1, {});
  });
}

// Rows from `row` on, `left` of them, to where their queries are, or in buffers one after another. beyond: what queries beyond
// the length get under a token order, whose blocks may have some of them; null: 0.
void AttendBuilder::storeRows(Value tile, Value target, Value row, Value left, int64_t cols, Value width,
                              Value beyond) {
  if (!queriesAt.ordered() || !stage.storesOutput)
    return k.store(tile, target, row, {}, left, width);
  Value rows = k.scratch(storedRows, cols);
  k.store(tile, rows, zero);
  k.loop(zero, k.index(storedRows), 1, [&](Value at) {
    Value token = queriesAt.rowOf(firstToken, k.add(row, at));
    k.when(
        k.negate(k.less(token, zero)), [&] { k.store(k.load(rows, at, 1, cols), target, token, {}, {}, width); },
        [&] {
          k.when(k.less(token, k.index(-1)), [&] {
            k.store(k.splat(beyond ? beyond : k.real(0), 1, cols), target, k.sub(k.index(-2), token), {}, {}, width);
          });
        });
  });
}

// Rows as they are before rounding to the compute dtype, where they are asked for.
void AttendBuilder::storeWide(Value tile, Value row, Value left, Value width) {
  if (!stage.storesWide)
    return;
  k.when(k.negate(k.isNull(further.wide)), [&] {
    Value offset = offsetOf(/*inBuffer=*/false, further.wideStrideB, further.wideStrideH, further.wideStrideN);
    storeRows(tile, k.view(further.wide, offset, program.valueDim, further.wideStrideN), row, left, schedule.valueDim,
              width);
  });
}

// sum P V / sum P, and 0 for rows without a live key.
Value AttendBuilder::exactTile(Value row, Value total) {
  int64_t rows = storedRows;
  Value null = k.real(0), one = k.real(1);
  Value divisor = k.map({total}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value live = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::UNE, v[0], null); // NaN stays NaN
    return body.create<arith::SelectOp>(loc, live, v[0], one);                           // 0 / 1 = 0
  });
  return k.tileQuotient(k.load(acc, row, rows, schedule.valueDim), divisor);
}

// (max + log2 sum) ln 2 with ln 2 in two floats
Value AttendBuilder::logTile(Value row, Value total, bool wantsRest) {
  Value high = k.real(ln2), low = k.real(ln2 - static_cast<float>(ln2)), null = k.real(0);
  Value otherwise = wantsRest ? null : lowest;
  return k.map({k.load(max, row, storedRows, 1), total}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value rest = body.create<math::FmaOp>(loc, v[0], low,
                                          body.create<arith::MulFOp>(loc, body.create<math::Log2Op>(loc, v[1]), high));
    Value natural = body.create<math::FmaOp>(loc, v[0], high, rest);
    if (wantsRest) // exact but for its own rounding
      natural = body.create<arith::AddFOp>(
          loc, body.create<math::FmaOp>(loc, v[0], high, body.create<arith::NegFOp>(loc, natural)), rest);
    Value live = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::UNE, v[1], null);
    return body.create<arith::SelectOp>(loc, live, natural, otherwise);
  });
}

// Numerators, and maxima and sums side by side, as addState takes them.
void AttendBuilder::keepState(Value row, Value left, Value total) {
  Value first = k.add(k.mul(k.item(1), tokensQ), firstToken);
  Value kept = k.view(further.keptState, k.mul(first, 2), 2);
  k.store(k.load(max, row, storedRows, 1), kept, row, {}, left);
  k.store(total, kept, row, k.index(1), left);
}

void AttendBuilder::epilogue() {
  int64_t rows = storedRows, cols = schedule.valueDim;
  Value offset = offsetOf(!stage.storesOutput, slots.oStrideB, slots.oStrideH, slots.oStrideN);
  int64_t stored = stage.storesOutput ? program.valueDim : cols; // what is kept is kept with its padding
  Value target = k.view(slots.o, offset, stored, slots.oStrideN);
  Value width = cols == stored ? Value() : k.index(stored);
  bool logs = stage.storesLse || stage.keepsLse;
  startGates();
  k.loop(zero, validRows, rows, [&](Value row) {
    Value left = k.sub(validRows, row), out;
    auto add = [&](Value tile) { out = out ? k.tileSum(out, tile) : tile; };
    if (stage.exact) {
      Value total = k.reduce(tkern::ReduceKind::Add, k.load(sum, row, rows, 16));
      if (stage.keepsState) {
        out = k.load(acc, row, rows, cols);
        keepState(row, left, total);
      } else {
        Value exact = exactTile(row, total);
        storeWide(exact, row, left, width);
        out = gated(exact, gate, row);
      }
      if (logs)
        storeLse(row, left, [&] { return logTile(row, total, /*wantsRest=*/false); });
      if (stage.storesRest)
        storeRest(row, left, [&] { return logTile(row, total, /*wantsRest=*/true); });
    } else if (logs) {
      storeLse(row, left, [&] { return inputTile(stage.added.front(), further.addedLse, row, rows, 1); });
    }
    if (stage.linear)
      add(stage.exact ? linearTile(row, rows) : gated(linearTile(row, rows), gate, row));
    for (auto [input, pointer, factor] : llvm::zip(stage.added, further.added, addedGates))
      add(gated(inputTile(input, pointer, row, rows, cols), factor, row));
    storeRows(out, target, row, left, cols, width);
  });
  // Rows beyond the length, and all of a head that chooses no stage: O = 0, LSE = -inf.
  k.loop(validRows, presentRows, rows, [&](Value row) {
    Value left = k.sub(presentRows, row);
    storeRows(k.splat(k.real(0), rows, cols), target, row, left, cols, width);
    storeWide(k.splat(k.real(0), rows, cols), row, left, width);
    if (logs)
      storeLse(row, left, [&] { return k.splat(lowest, rows, 1); });
    if (stage.storesRest)
      storeRest(row, left, [&] { return k.splat(k.real(0), rows, 1); });
  });
}
