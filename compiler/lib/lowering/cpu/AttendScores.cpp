// attend: one tile against one query block - scores, softmax step, P V, a few rows at a time.
#include "AttendBuilder.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// By how much a score may exceed a row's maximum before it is moved, in log2 units (docs/numerics.md#lazy-rescale). A bias that
// grows by an eighth per key then moves it at every sixth tile of 64 keys, where 8 would move it at each.
static constexpr float maxRise = 24;

// Row tiles, and one of the rows that are left where they do not divide the block.
void AttendBuilder::visit(Value firstRow, const Tile &tile) {
  int64_t rows = schedule.rowTile, whole = schedule.visitRows / rows * rows;
  Value left = k.sub(validRows, firstRow);
  if (queriesAt.ordered()) {
    Value block = k.div(k.add(firstToken, firstRow), k.index(schedule.blockQ));
    left = queriesAt.count(block, schedule.blockQ, validQ);
  }
  auto visitTaken = [&](Value row, int64_t count) {
    auto visit = [&] {
      Value share = tile.nextKeys ? k.div(k.sub(row, firstRow), k.index(schedule.rowTile)) : Value();
      visitRows(share, row, count, tile);
    };
    if (taken)
      k.when(k.any(k.load(taken, row, count, 1)), visit);
    else
      visit();
  };
  k.loop(firstRow, k.add(firstRow, k.min(k.roundUp(left, rows), k.index(whole))), rows,
         [&](Value row) { visitTaken(row, rows); });
  if (int64_t rest = schedule.visitRows - whole)
    k.when(k.less(k.index(whole), left), [&] { visitTaken(k.add(firstRow, whole), rest); });
}

// Each row tile brings its share of the next listed tile near, which no hardware foresees.
void AttendBuilder::visitRows(Value share, Value row, int64_t rows, const Tile &tile) {
  if (schedule.inPanels)
    return visitInPanels(row, rows, tile, share);
  int64_t shareK = shareOf(program.headDim * tile.cols), shareV = shareOf(tile.cols * schedule.valueDim);
  Value nextKeys, nextValues;
  if (share) {
    nextKeys = k.subview(tile.nextKeys, zero, k.mul(share, shareK));
    nextValues = k.subview(tile.nextValues, zero, k.mul(share, shareV));
  }
  Value scores = scoresOf({row, rows, zero, tile.cols}, tile, tile.keys, nextKeys, shareK);
  Value p = k.softmaxStep(scores, k.subview(max, row), k.subview(sum, row), k.subview(acc, row), maxRise);
  k.accumulate(p, tile.values, k.subview(acc, row), nextValues, shareV);
}

// Scores go to memory panel by panel, become P there, and P is read back for every panel of values.
void AttendBuilder::visitInPanels(Value row, int64_t rows, const Tile &tile, Value share) {
  int64_t keyPanel = schedule.keyPanel, valuePanel = schedule.valuePanel, keyPanels = tile.cols / keyPanel,
          valuePanels = schedule.valueDim / valuePanel;
  int64_t shareK = shareOf(program.headDim * keyPanel), shareV = shareOf(tile.cols * valuePanel);
  auto ahead = [&](Value view, Value panel, int64_t panels, int64_t elements) {
    return share ? k.subview(view, zero, k.mul(k.add(k.mul(share, panels), panel), elements)) : Value();
  };
  Value p = k.window(probabilities, rows, tile.cols);
  Part all{row, rows, zero, tile.cols, {}, {}};
  Value shift = shiftOf(all), anyFresh;
  if (startsExactly(tile)) {
    anyFresh = k.any(freshRows(all));
    k.store(shift, shifts, zero);
  }
  k.loop(zero, k.index(keyPanels), 1, [&](Value panel) {
    Value col = k.mul(panel, keyPanel), keys = k.subview(tile.keys, zero, k.mul(panel, tile.keyStep));
    k.store(scoresOf({row, rows, col, keyPanel, shift, anyFresh}, tile, keys,
                     ahead(tile.nextKeys, panel, keyPanels, shareK), shareK),
            p, zero, col);
  });
  k.softmaxInPlace(p, k.subview(max, row), k.subview(sum, row), k.subview(acc, row), maxRise);
  k.loop(zero, k.index(valuePanels), 1, [&](Value panel) {
    Value col = k.mul(panel, valuePanel), values = k.subview(tile.values, zero, k.mul(panel, tile.valueStep));
    Value product = k.matmul(p, values, k.load(acc, row, rows, valuePanel, col), tile.cols, /*transposed=*/false,
                             ahead(tile.nextValues, panel, valuePanels, shareV), shareV);
    k.store(product, acc, row, col);
  });
}

Value AttendBuilder::scoresOf(const Part &part, const Tile &tile, Value keys, Value ahead, int64_t elements) {
  bool hasRegions = (score || mask || taken) && tile.firstKey;
  // A bias of 0 and -inf starts the sum, for nothing; weights come after it, since starting there would round every step
  // at their size.
  Value start = hasRegions || tile.weighted ? k.splat(k.real(0), part.rows, part.cols)
                                            : k.repeatRows(k.load(tile.bias, zero, 1, part.cols, part.col), part.rows);
  Value product =
      k.matmul(k.subview(queries, part.row), keys, start, program.headDim, /*transposed=*/false, ahead, elements);
  return hasRegions ? regionScores(product, part, tile) : biasedScores(product, part, tile);
}

// The product runs on the queries as given, where a 16-bit product is exact; scale and maximum come after it.
Value AttendBuilder::biasedScores(Value product, const Part &part, const Tile &tile) {
  SmallVector<Value> inputs{product, startsExactly(tile) ? startRows(product, factor, part)
                                     : part.shift        ? part.shift
                                                         : shiftOf(part)};
  if (tile.weighted)
    inputs.push_back(k.load(tile.bias, zero, 1, part.cols, part.col));
  return k.map(inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value addend = tile.weighted ? body.create<arith::AddFOp>(loc, v[2], v[1]).getResult() : v[1];
    return body.create<math::FmaOp>(loc, v[0], factor, addend);
  });
}

// What moves scores of rows to their maxima. A fresh row has none yet: its scores are relative to 0.
Value AttendBuilder::shiftOf(const Part &part) {
  return k.map({k.load(max, part.row, part.rows, 1)}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value fresh = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[0], lowest);
    return body.create<arith::SelectOp>(loc, fresh, k.real(0), body.create<arith::NegFOp>(loc, v[0]));
  });
}

// 1 in rows that have no maximum yet, 0 in others.
Value AttendBuilder::freshRows(const Part &part) {
  return k.map({k.load(max, part.row, part.rows, 1)}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value isFresh = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[0], lowest);
    return body.create<arith::SelectOp>(loc, isFresh, k.real(1), k.real(0));
  });
}

// Not of block means, whose weights come after their products.
bool AttendBuilder::startsExactly(const Tile &tile) const { return stage.startsExactly && tile.firstKey; }

// Gives fresh rows the maximum of their first scores, `unit` of which are one of log2; returns what moves scores to maxima.
Value AttendBuilder::startRows(Value scores, Value unit, const Part &part) {
  if (part.anyFresh) {
    k.when(part.anyFresh, [&] {
      startFreshRows(scores, unit, freshRows(part), part);
      k.store(shiftOf(part), shifts, zero);
    });
    return k.load(shifts, zero, part.rows, 1);
  }
  Value fresh = freshRows(part);
  k.when(k.any(fresh), [&] { startFreshRows(scores, unit, fresh, part); });
  return shiftOf(part);
}

void AttendBuilder::startFreshRows(Value scores, Value unit, Value fresh, const Part &part) {
  Value maxima = k.load(max, part.row, part.rows, 1);
  Value tops = k.reduce(tkern::ReduceKind::Max, scores);
  Value started = k.map({maxima, fresh, tops}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value isFresh = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, v[1], k.real(0));
    Value largest = k.real(std::numeric_limits<float>::max());
    Value size = body.create<math::AbsFOp>(loc, v[2]);
    Value isFinite = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OLE, size, largest);
    Value starts = body.create<arith::AndIOp>(loc, isFresh, isFinite);
    return body.create<arith::SelectOp>(loc, starts, body.create<arith::MulFOp>(loc, v[2], unit), v[0]);
  });
  k.store(started, max, part.row);
}

// Regions see scores in natural units. Only tiles with pairs that are out pay for leaving them out.
Value AttendBuilder::regionScores(Value product, const Part &part, const Tile &tile) {
  bool moves = !startsExactly(tile); // at once, with what the region makes
  Value shift = !moves ? Value() : part.shift ? part.shift : shiftOf(part);
  Value scores = k.choose(
      product.getType(), tile.restricted, [&] { return regionValues(product, part, tile, shift, true); },
      [&] { return regionValues(product, part, tile, shift, false); });
  if (moves)
    return scores;
  Value unit = score ? k.real(log2e) : factor;
  return k.map({scores, startRows(scores, unit, part)}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    return body.create<math::FmaOp>(loc, v[0], unit, v[1]);
  });
}

// What the score region makes of products, or where there is none these, or with `shift` scores as softmaxStep takes them; -inf
// of pairs that are out.
Value AttendBuilder::regionValues(Value product, const Part &part, const Tile &tile, Value shift, bool restricted) {
  Value firstQuery = k.add(firstToken, part.row), firstKey = k.add(tile.firstKey, part.col);
  SmallVector<Value> inputs, ofMask;
  if (score)
    inputs = score->inputs(part.row, part.rows, part.col, part.cols);
  else if (shift)
    inputs.push_back(shift);
  size_t first = inputs.size();
  if (mask && restricted)
    ofMask = mask->inputs(part.row, part.rows, part.col, part.cols);
  llvm::append_range(inputs, ofMask);
  size_t takenAt = 3 + inputs.size();
  if (taken && restricted)
    inputs.push_back(k.load(taken, part.row, part.rows, 1));
  size_t queryAt = 3 + inputs.size();
  if (queriesAt.ordered())
    inputs.push_back(queriesAt.positions(firstQuery, part.rows, 1));
  if (keysAt.ordered())
    inputs.push_back(keysAt.positions(firstKey, 1, part.cols));
  return k.mapPairs(product, firstQuery, firstKey, inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value value = v[0], query = v[1], key = v[2];
    if (queriesAt.ordered())
      query = BlockTokens::position(body, loc, v[queryAt]);
    if (keysAt.ordered())
      key = BlockTokens::position(body, loc, v.back());
    if (score)
      value = score->emit(body, body.create<arith::MulFOp>(loc, value, scale), query, key, v.slice(3, first));
    else if (shift)
      value = body.create<math::FmaOp>(loc, value, factor, v[3]);
    if (!restricted)
      return value;
    Value live = body.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, v[2], tile.endKey);
    if (mask)
      live = body.create<arith::AndIOp>(loc, live, mask->emit(body, {}, query, key, v.slice(3 + first, ofMask.size())));
    if (taken)
      live = body.create<arith::AndIOp>(
          loc, live, body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, v[takenAt], k.real(0)));
    return body.create<arith::SelectOp>(loc, live, value, lowest);
  });
}
