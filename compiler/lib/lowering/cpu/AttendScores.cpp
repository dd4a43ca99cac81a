// attend: one tile against one query block - scores, softmax step, P V, a few rows at a time.
#include "AttendBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// Row tiles, and one of the rows that are left where they do not divide the block.
void AttendBuilder::visit(Value firstRow, const Tile &tile) {
  int64_t rows = schedule.rowTile, whole = schedule.blockQ / rows * rows;
  Value left = k.sub(validRows, firstRow);
  k.loop(firstRow, k.add(firstRow, k.min(k.roundUp(left, rows), k.index(whole))), rows,
         [&](Value row) { visitRows(firstRow, row, rows, tile); });
  if (int64_t rest = schedule.blockQ - whole)
    k.when(k.less(k.index(whole), left), [&] { visitRows(firstRow, k.add(firstRow, whole), rest, tile); });
}

// Each row tile brings its share of the next listed tile near, which no hardware foresees.
void AttendBuilder::visitRows(Value firstRow, Value row, int64_t rows, const Tile &tile) {
  Value share = tile.nextKeys ? k.div(k.sub(row, firstRow), k.index(schedule.rowTile)) : Value();
  if (schedule.inPanels)
    return visitInPanels(row, rows, tile, share);
  int64_t shareK = shareOf(program.headDim * tile.cols), shareV = shareOf(tile.cols * schedule.valueDim);
  Value nextKeys, nextValues;
  if (share) {
    nextKeys = k.subview(tile.nextKeys, zero, k.mul(share, shareK));
    nextValues = k.subview(tile.nextValues, zero, k.mul(share, shareV));
  }
  Value scores = scoresOf({row, rows, zero, tile.cols}, tile, tile.keys, nextKeys, shareK);
  Value p = k.softmaxStep(scores, k.subview(max, row), k.subview(sum, row), k.subview(acc, row));
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
  k.loop(zero, k.index(keyPanels), 1, [&](Value panel) {
    Value col = k.mul(panel, keyPanel), keys = k.subview(tile.keys, zero, k.mul(panel, tile.keyStep));
    k.store(scoresOf({row, rows, col, keyPanel}, tile, keys, ahead(tile.nextKeys, panel, keyPanels, shareK), shareK), p,
            zero, col);
  });
  k.softmaxInPlace(p, k.subview(max, row), k.subview(sum, row), k.subview(acc, row));
  k.loop(zero, k.index(valuePanels), 1, [&](Value panel) {
    Value col = k.mul(panel, valuePanel), values = k.subview(tile.values, zero, k.mul(panel, tile.valueStep));
    Value product = k.matmul(p, values, k.load(acc, row, rows, valuePanel, col), tile.cols, /*transposed=*/false,
                             ahead(tile.nextValues, panel, valuePanels, shareV), shareV);
    k.store(product, acc, row, col);
  });
}

Value AttendBuilder::scoresOf(const Part &part, const Tile &tile, Value keys, Value ahead, int64_t elements) {
  bool hasRegions = (score || mask) && tile.firstKey;
  // A bias of 0 and -inf starts the sum, for nothing; weights come after it, since starting there would round every step
  // at their size.
  Value start = hasRegions || tile.weighted ? k.splat(k.real(0), part.rows, part.cols)
                                            : k.repeatRows(k.load(tile.bias, zero, 1, part.cols, part.col), part.rows);
  Value product =
      k.matmul(k.subview(queries, part.row), keys, start, program.headDim, /*transposed=*/false, ahead, elements);
  // A fresh row has no maximum yet: its scores are relative to 0.
  Value shift = k.map({k.load(max, part.row, part.rows, 1)}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value fresh = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[0], lowest);
    return body.create<arith::SelectOp>(loc, fresh, k.real(0), body.create<arith::NegFOp>(loc, v[0]));
  });
  return hasRegions ? regionScores(product, part, tile, shift) : biasedScores(product, part, tile, shift);
}

// The product runs on the queries as given, where a 16-bit product is exact; scale and maximum come after it.
Value AttendBuilder::biasedScores(Value product, const Part &part, const Tile &tile, Value shift) {
  SmallVector<Value> inputs{product, shift};
  if (tile.weighted)
    inputs.push_back(k.load(tile.bias, zero, 1, part.cols, part.col));
  return k.map(inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value addend = tile.weighted ? body.create<arith::AddFOp>(loc, v[2], v[1]).getResult() : v[1];
    return body.create<math::FmaOp>(loc, v[0], factor, addend);
  });
}

// Regions see scores in natural units. Only tiles with pairs that are out pay for leaving them out.
Value AttendBuilder::regionScores(Value product, const Part &part, const Tile &tile, Value shift) {
  return k.choose(
      product.getType(), tile.restricted, [&] { return regionScores(product, part, tile, shift, true); },
      [&] { return regionScores(product, part, tile, shift, false); });
}

Value AttendBuilder::regionScores(Value product, const Part &part, const Tile &tile, Value shift, bool restricted) {
  SmallVector<Value> inputs{shift}, ofScore, ofMask;
  if (score)
    ofScore = score->inputs(part.row, part.rows, part.col, part.cols);
  if (mask && restricted)
    ofMask = mask->inputs(part.row, part.rows, part.col, part.cols);
  llvm::append_range(inputs, ofScore);
  llvm::append_range(inputs, ofMask);
  return k.mapPairs(product, k.add(firstToken, part.row), k.add(tile.firstKey, part.col), inputs,
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
