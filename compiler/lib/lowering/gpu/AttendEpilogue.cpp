// The softmax of a step, and what becomes of a worker's rows after the last one.
#include "AttendParts.h"

#include <limits>
#include <numbers>

using namespace mlir;

namespace tercet::compiler {

using tkern::Space;

constexpr float infinity = std::numeric_limits<float>::infinity();

void AttendParts::startRows() {
  int64_t height = schedule.getWorkerRows();
  if (stage.exact) {
    max = b.registers("row_max", height, 1, -infinity);
    sum = b.registers("row_sum", height, 4, 0);
  }
  acc = b.registers("acc", height, layout.valueCols, 0);
}

// The reference of a row's exponents: its maximum so far, 0 while it has met no score above -inf.
Value AttendParts::finiteMax(Value max) {
  Value fresh = b.make<arith::CmpFOp>("fresh", arith::CmpFPredicate::OEQ, max, b.constant(-infinity));
  return b.make<arith::SelectOp>("reference", fresh, b.constant(0.0f), max);
}

// In log2 units, relative to the running maximum.
Value AttendParts::shifted(Value scores) {
  auto type = cast<tkern::TileType>(scores.getType());
  auto column = cast<tkern::TileType>(b.tile(type.getRows(), 1));
  Value c0 = b.constant(int64_t{0});
  Value top = b.make<tkern::LoadOp>("top", column, max, c0, c0, Value(), Value(), Value());
  Value shift = b.map("shift", column, top, {"m"},
                      [&](ValueRange x) -> Value { return b.make<arith::NegFOp>("negative", finiteMax(x[0])); });
  return b.map("relative", type, {scores, shift}, {"s", "m"},
               [&](ValueRange x) -> Value { return b.make<math::FmaOp>("exponent", x[0], scoreUnit, x[1]); });
}

// For a backward a row's maximum is followed at once: where one key has all of a row's P, a P that is rounded relative to an earlier
// maximum makes O, and with it D, a multiple of its value, and dS is no longer 0.
Value AttendParts::softmaxStep(Value scores) {
  auto step = b.make<tkern::SoftmaxStepOp>("p", scores, max, sum, acc);
  if (program.direction != Direction::inference && !program.isWide())
    step.setThreshold(llvm::APFloat(0.0f));
  return step;
}

Value AttendParts::softmax(Value scores, Value keysLeft, const StepKeys &step, Value row) {
  Value allowed = takenRows(allowedPairs(scoredPairs(scores, row, step.first), row, step), row, step);
  Value live = b.make<tkern::MaskOp>("masked", allowed.getType(), allowed, keysLeft);
  if (stage.startsExactly)
    b.call("start_rows", "softmax", {}, {live, scoreUnit, max});
  return softmaxStep(shifted(live));
}

Value AttendParts::softmaxOfMeans(Value scores, Value firstBlock) {
  Value words = b.make<arith::CeilDivUIOp>("words", keyBlocks, b.constant(int64_t{64}));
  Value at = b.mul("bits_at", listRow, b.mul("row_words", words, b.constant(int64_t{2})));
  SmallVector<Value> inputs = {shifted(scores), bits, at, firstBlock, liveKeys};
  if (tileCounts)
    inputs.append({tileCounts, firstCount});
  Value weighed =
      b.compute("weighed", scores.getType(), "weigh_means", "mean_weights", {b.integer(program.blockK)}, inputs);
  return softmaxStep(weighed);
}

Value AttendParts::keepRows(Value tile, Value row, float otherwise) {
  return b.compute("kept", tile.getType(), "keep_rows", "softmax", {}, {tile, row, liveRows, b.constant(otherwise)});
}

// phi(Q) H / (phi(Q) Z + eps) from the row's state, and the bias.
void AttendParts::addLinear(Value row, Value worker) {
  Value queries = rowsOf("q_lines", queryLines, head, program.headDim);
  Value stateRow = program.globalState() ? group : inSuperRows() ? b.add("state_row", listRow, worker) : listRow;
  Value rowsOfPair = program.globalState() ? b.constant(int64_t{1}) : b.mul("state_rows", headsPerKeyHead, queryBlocks);
  Value plane = b.mul("plane", b.mul("planes", pairs, rowsOfPair), b.constant(program.stateColumns(), "state_columns"));
  Value narrow = eps ? b.make<arith::TruncFOp>("eps_f32", b.builder.getF32Type(), eps).getResult() : b.constant(0.0f);
  Type type = layout.element;
  b.call(program.isWide() ? "add_linear_f32" : "add_linear", "linear_rows",
         {b.integer(static_cast<int64_t>(program.featureMap)), TypeAttr::get(type), b.integer(program.headDim),
          b.integer(layout.valueCols)},
         {acc, queries, row, liveRows, state, stateRow, plane, narrow});
  if (bias)
    b.call("add_bias", "linear_rows", {b.integer(layout.valueCols)}, {acc, bias});
}

void AttendParts::storeLogs(Value total, Value row) {
  storeLogRows(row, [&] { return logTile(total, /*wantsRest=*/false); });
  if (stage.storesRest)
    ifGiven("lse_rest", rest, [&] {
      Value tile = keepRows(logTile(total, /*wantsRest=*/true), row, 0.0f);
      b.make<tkern::StoreOp>("", tile, rowsOf("rest_rows", rest, head, 1), row, b.constant(int64_t{0}), rows, Value());
    });
}

Value AttendParts::logTile(Value total, bool wantsRest) {
  auto column = cast<tkern::TileType>(total.getType());
  // ln 2 in two floats: max may be large. A sum of 0 gives -inf, which leaves nothing.
  Value high = b.constant(static_cast<float>(std::numbers::ln2), "ln_2");
  Value low = b.constant(static_cast<float>(std::numbers::ln2 - static_cast<float>(std::numbers::ln2)), "ln_2_rest");
  Value c0 = b.constant(int64_t{0}), zero = b.constant(0.0f);
  Value top = b.make<tkern::LoadOp>("last_max", column, max, c0, c0, Value(), Value(), Value());
  return b.map(wantsRest ? "log_rests" : "logs", column, {top, total}, {"m", "x"}, [&](ValueRange x) -> Value {
    Value log = b.make<math::Log2Op>("log", x[1], arith::FastMathFlags::afn), level = finiteMax(x[0]);
    Value small = b.make<math::FmaOp>("rest", level, low,
                                      b.make<arith::MulFOp>("natural", log, high, arith::FastMathFlags::contract));
    Value rounded = b.make<math::FmaOp>("sum_of_logs", level, high, small);
    if (!wantsRest)
      return rounded;
    Value left = b.make<math::FmaOp>("left", level, high, b.make<arith::NegFOp>("negative", rounded));
    Value empty = b.make<arith::CmpFOp>("empty", arith::CmpFPredicate::OEQ, x[1], zero);
    return b.make<arith::SelectOp>("kept_rest", empty, zero, b.make<arith::AddFOp>("all_left", left, small));
  });
}

// The caller of a launch may ask for no LSE; a later stage takes it as it is.
void AttendParts::storeLogRows(Value row, llvm::function_ref<Value()> make) {
  auto store = [&] {
    Value logRows = rowsOf("lse_rows", lse, head, 1);
    b.make<tkern::StoreOp>("", keepRows(make(), row, -infinity), logRows, row, b.constant(int64_t{0}), rows, Value());
  };
  ifGiven("lse", lse, store);
}

void AttendParts::ifGiven(StringRef name, const TensorArgument &tensor, llvm::function_ref<void()> body) {
  if (tensor.inBuffer)
    return body();
  Value absent = b.make<tkern::IsNullOp>(("no_" + name).str(), b.builder.getI1Type(), tensor.base);
  Value given = b.make<arith::XOrIOp>(("wants_" + name).str(), absent,
                                      b.make<arith::ConstantOp>("", b.builder.getBoolAttr(true)));
  b.when(given, body);
}

// In a super row a worker has its own query block, of which an odd number leaves the last worker none.
void AttendParts::finishRows(Value row, Value worker) {
  Value finishes = stores;
  if (inSuperRows()) {
    Value exists = b.make<arith::CmpIOp>("has_own_rows", arith::CmpIPredicate::slt, row, rows);
    finishes = stores ? b.make<arith::AndIOp>("finishes", stores, exists).getResult() : exists;
  }
  if (!finishes)
    return finishOwnRows(row, worker);
  b.when(finishes, [&] { finishOwnRows(row, worker); });
}

void AttendParts::eachPart(int64_t most, llvm::function_ref<void(int64_t col, int64_t width)> body) {
  for (int64_t col = 0; col < layout.valueCols; col += most)
    body(col, std::min(most, layout.valueCols - col));
}

Value AttendParts::partOfAcc(StringRef name, int64_t col, int64_t width) {
  return b.make<tkern::LoadOp>(name, b.tile(schedule.getWorkerRows(), width), acc, b.constant(int64_t{0}),
                               b.constant(col), Value(), Value(), Value());
}

Value AttendParts::columnsOf(StringRef name, Value view, int64_t col, int64_t width) {
  auto type = cast<tkern::ViewType>(view.getType());
  if (col == 0 && width >= type.getCols())
    return view;
  tkern::ViewType part = b.view(type.getRows(), std::min(width, type.getCols() - col), type.getElementType(),
                                type.getStride(), type.getSpace());
  return b.make<tkern::SubviewOp>(name, part, view, b.constant(int64_t{0}), b.constant(col));
}

// acc = acc / sum, times the gate; 0 for rows without a live key.
void AttendParts::divideRows(Value total, Value row) {
  auto column = cast<tkern::TileType>(total.getType());
  Value c0 = b.constant(int64_t{0}), zero = b.constant(0.0f), one = b.constant(1.0f);
  Value inverse = b.map("inverse", column, total, {"x"}, [&](ValueRange x) -> Value {
    Value empty = b.make<arith::CmpFOp>("empty", arith::CmpFPredicate::OEQ, x[0], zero);
    Value reciprocal = b.make<arith::DivFOp>("reciprocal", one, x[0]);
    return b.make<arith::SelectOp>("factor", empty, zero, reciprocal);
  });
  bool ofFeatures = stage.gate && !rowGates.contains(stage.gate);
  eachPart(ofFeatures ? layout.finishedCols : layout.valueCols, [&](int64_t col, int64_t width) {
    Value numerator = partOfAcc("numerator", col, width);
    auto type = cast<tkern::TileType>(numerator.getType());
    Value exact = b.map("exact", type, {numerator, inverse}, {"x", "factor"}, [&](ValueRange x) -> Value {
      return b.make<arith::MulFOp>("quotient", x[0], x[1], arith::FastMathFlags::contract);
    });
    b.make<tkern::StoreOp>("", gated(exact, stage.gate, row, col), acc, c0, b.constant(col), Value(), Value());
  });
}

// The exact branch alone, before what is added to it.
void AttendParts::storeWide(Value row) {
  ifGiven("o_wide", wide, [&] {
    auto type = cast<tkern::TileType>(b.tile(schedule.getWorkerRows(), layout.valueCols));
    Value c0 = b.constant(int64_t{0}),
          tile = b.make<tkern::LoadOp>("exact_output", type, acc, c0, c0, Value(), Value(), Value());
    Value to = rowsOf("o_wide_rows", wide, head, program.valueDim);
    b.make<tkern::StoreOp>("", keepRows(tile, row, 0.0f), to, row, c0, rows, Value());
  });
}

void AttendParts::finishOwnRows(Value row, Value worker) {
  int64_t height = schedule.getWorkerRows();
  Value c0 = b.constant(int64_t{0}), total;
  if (stage.start)
    mergeRows(row);
  startGates(row);
  if (stage.exact) {
    Value parts = b.make<tkern::LoadOp>("sums", b.tile(height, 4), sum, c0, c0, Value(), Value(), Value());
    total = b.make<tkern::ReduceOp>("total", b.tile(height, 1), tkern::ReduceKind::Add, parts);
    if (stage.keepsState)
      keepState(total, row);
    else
      divideRows(total, row);
    if (stage.storesWide)
      storeWide(row);
  }
  if (stage.linear)
    addLinear(row, worker);
  eachPart(layout.finishedCols, [&](int64_t col, int64_t width) {
    Value sum = partOfAcc("output", col, width);
    if (!stage.exact)
      sum = gated(sum, stage.gate, row, col);
    sum = withInputs(sum, row, col);
    Value lines = rowsOf("o_rows", o, head, stage.storesOutput ? program.valueDim : layout.valueCols);
    Value part = columnsOf("o_part", lines, col, width);
    b.make<tkern::StoreOp>("", keepRows(sum, row, 0.0f), part, row, c0, rows, Value());
  });
  if (!lse.base)
    return;
  if (stage.exact)
    storeLogs(total, row);
  else
    storeLogRows(row, [&] {
      return inputTile("added_lse", stage.added.front(), rowsOf("added_lse_rows", addedLogs, head, 1), row);
    });
}

} // namespace tercet::compiler
