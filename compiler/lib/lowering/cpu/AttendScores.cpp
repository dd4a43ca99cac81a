// attend: one tile against one query block - scores, softmax step, P V, four rows at a time.
#include "AttendBuilder.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// Each row tile brings its share of the next listed tile near, which no hardware foresees.
void AttendBuilder::visit(Value firstRow, const Tile &tile) {
  Value end = k.min(k.add(firstRow, schedule.blockQ), k.roundUp(validRows, schedule.rowTile));
  if (queriesAt.ordered()) {
    Value block = k.div(k.add(firstToken, firstRow), k.index(schedule.blockQ));
    end = k.add(firstRow, k.roundUp(queriesAt.count(block, schedule.blockQ, validQ), schedule.rowTile));
  }
  int64_t rows = schedule.rowTile, shares = schedule.blockQ / rows;
  int64_t shareK = program.headDim * schedule.keyTile / shares, shareV = schedule.keyTile * schedule.valueDim / shares;
  k.loop(firstRow, end, rows, [&](Value row) {
    Value nextKeys, nextValues;
    if (tile.nextKeys) {
      Value share = k.div(k.sub(row, firstRow), k.index(rows));
      nextKeys = k.subview(tile.nextKeys, zero, k.mul(share, shareK));
      nextValues = k.subview(tile.nextValues, zero, k.mul(share, shareV));
    }
    auto product = [&](Value start) {
      return k.matmul(k.subview(queries, row), tile.keys, start, program.headDim, /*transposed=*/false, nextKeys,
                      shareK);
    };
    bool hasRegions = (score || mask) && tile.firstKey;
    Value scores = hasRegions ? regionScores(product(k.splat(k.real(0), rows, tile.cols)), row, tile)
                              : biasedScores(product, tile, shiftOf(row));
    Value p = k.softmaxStep(scores, k.subview(max, row), k.subview(sum, row), k.subview(acc, row));
    k.accumulate(p, tile.values, k.subview(acc, row), nextValues, shareV);
  });
}

// The product runs on the queries as given, where a 16-bit product is exact; scale and maximum come after it. A bias of
// 0 and -inf starts the sum, for nothing; weights come after it, since starting there would round every step at their
// size.
Value AttendBuilder::biasedScores(function_ref<Value(Value)> product, const Tile &tile, Value shift) {
  int64_t rows = schedule.rowTile;
  Value biasRow = k.load(tile.bias, zero, 1, tile.cols);
  Value start = tile.weighted ? k.splat(k.real(0), rows, tile.cols) : k.repeatRows(biasRow, rows);
  SmallVector<Value> inputs{product(start), shift};
  if (tile.weighted)
    inputs.push_back(biasRow);
  return k.map(inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value addend = tile.weighted ? body.create<arith::AddFOp>(loc, v[2], v[1]).getResult() : v[1];
    return body.create<math::FmaOp>(loc, v[0], factor, addend);
  });
}

// What moves scores of rows to their maximum. A fresh row has none yet: its scores are relative to 0.
Value AttendBuilder::shiftOf(Value row) {
  return k.map({k.load(max, row, schedule.rowTile, 1)}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value fresh = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[0], lowest);
    return body.create<arith::SelectOp>(loc, fresh, k.real(0), body.create<arith::NegFOp>(loc, v[0]));
  });
}

// Gives fresh rows the maximum of their first scores. Relative to 0 these would be rounded at their own size, which
// products are anyway, but not what a score region bounds.
void AttendBuilder::startRows(Value scores, Value row) {
  Value maxima = k.load(max, row, schedule.rowTile, 1);
  Value fresh = k.map({maxima}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value isFresh = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[0], lowest);
    return body.create<arith::SelectOp>(loc, isFresh, k.real(1), k.real(0));
  });
  k.when(k.any(fresh), [&] {
    Value tops = k.reduce(tkern::ReduceKind::Max, scores);
    Value started = k.map({maxima, fresh, tops}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
      Value isFresh = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OGT, v[1], k.real(0));
      Value largest = k.real(std::numeric_limits<float>::max());
      Value size = body.create<math::AbsFOp>(loc, v[2]);
      Value isFinite = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OLE, size, largest);
      Value starts = body.create<arith::AndIOp>(loc, isFresh, isFinite);
      return body.create<arith::SelectOp>(loc, starts, body.create<arith::MulFOp>(loc, v[2], k.real(log2e)), v[0]);
    });
    k.store(started, max, row);
  });
}

// Regions see scores in natural units. Only tiles with pairs that are out pay for leaving them out.
Value AttendBuilder::regionScores(Value product, Value row, const Tile &tile) {
  Value shift = score ? Value() : shiftOf(row);
  Value scores = k.choose(
      product.getType(), tile.restricted, [&] { return regionValues(product, row, tile, shift, true); },
      [&] { return regionValues(product, row, tile, shift, false); });
  if (!score)
    return scores;
  startRows(scores, row);
  Value unit = k.real(log2e);
  return k.map({scores, shiftOf(row)}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    return body.create<math::FmaOp>(loc, v[0], unit, v[1]);
  });
}

// What the score region makes of products, or where there is none scores as softmaxStep takes them; -inf of pairs that
// are out.
Value AttendBuilder::regionValues(Value product, Value row, const Tile &tile, Value shift, bool restricted) {
  SmallVector<Value> inputs, ofMask;
  if (score)
    inputs = score->inputs(row, schedule.rowTile);
  else
    inputs.push_back(shift);
  size_t first = inputs.size();
  if (mask && restricted)
    ofMask = mask->inputs(row, schedule.rowTile);
  llvm::append_range(inputs, ofMask);
  if (queriesAt.ordered()) {
    inputs.push_back(queriesAt.positions(k.add(firstToken, row), schedule.rowTile, 1));
    inputs.push_back(keysAt.positions(tile.firstKey, 1, schedule.keyTile));
  }
  return k.mapPairs(product, k.add(firstToken, row), tile.firstKey, inputs,
                    [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
                      Value value = v[0], query = v[1], key = v[2];
                      if (queriesAt.ordered()) {
                        query = BlockTokens::position(body, loc, v[v.size() - 2]);
                        key = BlockTokens::position(body, loc, v.back());
                      }
                      if (score)
                        value = score->emit(body, body.create<arith::MulFOp>(loc, value, scale), query, key,
                                            v.slice(3, first));
                      else
                        value = body.create<math::FmaOp>(loc, value, factor, v[3]);
                      if (!restricted)
                        return value;
                      Value live = body.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, v[2], tile.endKey);
                      if (mask)
                        live = body.create<arith::AndIOp>(
                            loc, live, mask->emit(body, {}, query, key, v.slice(3 + first, ofMask.size())));
                      return body.create<arith::SelectOp>(loc, live, value, lowest);
                    });
}
