// attend: what a stage takes from the buffers of earlier stages, and the gates of branches.
#include "AttendBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// The row of an earlier stage's buffers for row `row` of the item: [gr][its rows]. Rows beyond the last stand for it.
Value AttendBuilder::inputRow(const StageInput &input, Value row) {
  Value last = k.sub(slots.tokensQ, k.index(1)), token = k.min(k.add(firstToken, row), last);
  Value rowsOfHead = k.ceilDiv(slots.tokensQ, input.rows);
  return k.add(k.mul(k.item(1), rowsOfHead), k.div(token, k.index(input.rows)));
}

// `rows` rows from `row` of the item on, row by row, for several may share one of the earlier stage.
Value AttendBuilder::inputTile(const StageInput &input, Value pointer, Value row, int64_t rows, int64_t cols) {
  Value source = k.view(pointer, zero, cols), tile = k.scratch(rows, cols);
  k.loop(zero, k.index(rows), 1,
         [&](Value r) { k.store(k.load(source, inputRow(input, k.add(row, r)), 1, cols), tile, r); });
  return k.load(tile, zero, rows, cols);
}

// The softmax goes on from the state of the earlier stage: as two parts of one row are merged, after the keys of this stage, whose scores
// were relative to a maximum of their own. Relative to that of the earlier stage they would be rounded at the size of the difference.
void AttendBuilder::addState() {
  Value numerators = k.view(further.numerators, zero, schedule.valueDim), state = k.view(further.state, zero, 2);
  k.loop(zero, validRows, 1, [&](Value row) {
    Value source = inputRow(*stage.start, row), earlier = k.load(state, source, 1, 1), own = k.load(max, row, 1, 1);
    Value top = k.map({earlier, own}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
      return body.create<arith::MaxNumFOp>(loc, v[0], v[1]);
    });
    // 2 to what a part's maximum lies below the top, and 0 for a part that has met no key.
    auto share = [&](Value maximum) {
      return k.map({maximum, top}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
        Value power = body.create<math::Exp2Op>(loc, body.create<arith::SubFOp>(loc, v[0], v[1]));
        Value isEmpty = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[0], lowest);
        return body.create<arith::SelectOp>(loc, isEmpty, k.real(0), power);
      });
    };
    Value ofEarlier = share(earlier), ofOwn = share(own);
    auto merge = [&](Value before, Value tile) {
      return k.map({before, ofEarlier, tile, ofOwn}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
        Value kept = body.create<arith::MulFOp>(loc, v[2], v[3]);
        return body.create<math::FmaOp>(loc, v[0], v[1], kept);
      });
    };
    k.store(merge(k.load(numerators, source, 1, schedule.valueDim), k.load(acc, row, 1, schedule.valueDim)), acc, row);
    Value total = k.reduce(tkern::ReduceKind::Add, k.load(sum, row, 1, 16));
    Value merged = merge(k.load(state, source, 1, 1, k.index(1)), total);
    k.store(k.splat(k.real(0), 1, 16), sum, row);
    k.store(merged, sum, row);
    k.store(top, max, row);
  });
}

// Gates are regions over pairs of a query and a feature of its output.
void AttendBuilder::startGates() {
  auto start = [&](Region *region, std::optional<HoistedRegion> &gate) {
    if (!region)
      return;
    gate.emplace(k, *region, scope, /*first=*/0, batch, head, schedule.superRow, schedule.valueDim);
    gate->prepareRows(validRows, [&](Value row) { return queriesAt.token(k.add(firstToken, row)); });
    gate->prepareColumns(zero);
  };
  start(stage.gate, gate);
  addedGates.resize(stage.added.size());
  for (auto [input, added] : llvm::zip(stage.added, addedGates))
    start(input.gate, added);
}

Value AttendBuilder::gated(Value tile, std::optional<HoistedRegion> &region, Value row) {
  if (!region)
    return tile;
  SmallVector<Value> inputs = region->inputs(row, storedRows, zero, schedule.valueDim);
  size_t prepared = inputs.size();
  Value place = k.add(firstToken, row);
  if (queriesAt.ordered())
    inputs.push_back(queriesAt.positions(place, storedRows, 1));
  return k.mapPairs(tile, place, zero, inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value query = queriesAt.ordered() ? BlockTokens::position(body, loc, v.back()) : v[1];
    Value factor = region->emit(body, {}, query, v[2], v.slice(3, prepared));
    return body.create<arith::MulFOp>(loc, v[0], factor);
  });
}
