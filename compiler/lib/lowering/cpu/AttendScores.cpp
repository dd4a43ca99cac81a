// attend: one tile against one query block - scores, softmax step, P V, four rows at a time.
#include "AttendBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// Each row tile brings its share of the next listed tile near, which no hardware foresees.
void AttendBuilder::visit(Value firstRow, const Tile &tile) {
  Value end = k.min(k.add(firstRow, schedule.blockQ), k.roundUp(validRows, schedule.rowTile));
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
    // A fresh row has no maximum yet: its scores are relative to 0.
    Value shift = k.map({k.load(max, row, rows, 1)}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
      Value fresh = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[0], lowest);
      return body.create<arith::SelectOp>(loc, fresh, k.real(0), body.create<arith::NegFOp>(loc, v[0]));
    });
    bool hasRegions = (score || mask) && tile.firstKey;
    Value scores = hasRegions ? regionScores(product(k.splat(k.real(0), rows, tile.cols)), row, tile, shift)
                              : biasedScores(product, tile, shift);
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

// Regions see scores in natural units. Only tiles with pairs that are out pay for leaving them out.
Value AttendBuilder::regionScores(Value product, Value row, const Tile &tile, Value shift) {
  return k.choose(
      product.getType(), tile.restricted, [&] { return regionScores(product, row, tile, shift, true); },
      [&] { return regionScores(product, row, tile, shift, false); });
}

Value AttendBuilder::regionScores(Value product, Value row, const Tile &tile, Value shift, bool restricted) {
  SmallVector<Value> inputs{shift}, ofScore, ofMask;
  if (score)
    ofScore = score->inputs(row, schedule.rowTile);
  if (mask && restricted)
    ofMask = mask->inputs(row, schedule.rowTile);
  llvm::append_range(inputs, ofScore);
  llvm::append_range(inputs, ofMask);
  return k.mapPairs(product, k.add(firstToken, row), tile.firstKey, inputs,
                    [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
                      Value value = v[0], query = v[1], key = v[2], unit = factor;
                      if (score) {
                        Value natural = body.create<arith::MulFOp>(loc, value, scale);
                        value = score->emit(body, natural, query, key, v.slice(4, ofScore.size()));
                        unit = k.real(log2e);
                      }
                      value = body.create<math::FmaOp>(loc, value, unit, v[3]);
                      if (!restricted)
                        return value;
                      Value live = body.create<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, key, keyCount);
                      if (mask)
                        live = body.create<arith::AndIOp>(loc, live,
                                                          mask->emit(body, {}, query, key, v.take_back(ofMask.size())));
                      return body.create<arith::SelectOp>(loc, live, value, lowest);
                    });
}
