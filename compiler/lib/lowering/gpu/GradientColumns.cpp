// The loop of a gradient kernel over tiles of columns.
#include "GradientWriter.h"

#include <limits>

using namespace mlir;

namespace tercet::compiler {

// The columns of one head.
void GradientWriter::visitColumns() {
  countSteps();
  startRegions();
  loadRows();
  if (pass.ofMeans && !ofKeys)
    return visitMeans();
  eachWindow([&] { visitSteps(); });
}

// Both tiles of a step are on their way while the one before is worked on; the wait for the first is a barrier, after which the
// slots of the step before it are free.
void GradientWriter::visitSteps() {
  int64_t planes = layout.colPlanesY;
  Value sourceX = rowsOf("x_cols", ofKeys ? q : k, 0, program.headDim);
  SmallVector<Value> sourceY;
  for (int64_t plane = 0; plane < planes; ++plane)
    sourceY.push_back(rowsOf("y_cols", ofKeys ? gradient : v, plane, program.valueDim));
  auto slotOf = [&](Value step, int64_t plane) {
    return planes == 1 ? step : b.add("slot", b.mul("first_slot", step, b.constant(planes)), b.constant(plane));
  };
  auto fillStep = [&](Value step, const std::string &name) {
    Value column = columnsOf(name, step, /*ahead=*/true).first;
    b.fill(colsX, step, sourceX, column, liveCols);
    for (auto [plane, source] : llvm::enumerate(sourceY))
      b.fill(colsY, slotOf(step, static_cast<int64_t>(plane)), source, column, liveCols);
  };
  Value c0 = b.constant(int64_t{0});
  if (ofKeys && !window)                 // windows begin behind a barrier
    b.wait("read_by_all", rowsX, c0, 0); // a barrier: the slots of the head before are free after it
  fillStep(c0, "start");
  b.loop("j", steps, [&](Value step) {
    StepColumns columns = columnsOf("column", step, /*ahead=*/false);
    column = columns.first;
    partial = columns.partial;
    entryAt = columns.at;
    Value tileX = b.wait("x_tile", colsX, step, planes);
    fillStep(b.add("next", step, b.constant(int64_t{1})), "ahead");
    visitTile(tileX, [&] {
      SmallVector<Value> tiles;
      for (int64_t plane = 0; plane < planes; ++plane)
        tiles.push_back(b.wait("y_tile", colsY, slotOf(step, plane), 2 * planes - plane));
      return tiles;
    });
  });
  b.make<tkern::DrainOp>("");
}

// One tile of columns, of which planes add up.
void GradientWriter::visitTile(ValueRange tileX, llvm::function_ref<SmallVector<Value>()> waitForY) {
  Value products = product("scores", leftX, tileX, layout.xCols);
  Value p = probabilities(products);
  if (shares)
    addRows(shares, p);
  SmallVector<Value> tileY = waitForY();
  if (kernel.ofY)
    for (Value plane : tileY)
      b.make<tkern::AccumulateOp>("", p, plane, sumY);
  if (pass.ofTable)
    return addToTable(p, pairGradients(p, product("d_p", leftY, tileY, layout.yCols)), products);
  if (!kernel.ofX)
    return;
  Value ofScores = pairGradients(p, product("d_p", leftY, tileY, layout.yCols));
  if (slope)
    ofScores = throughRegion(ofScores, p, products);
  for (Value plane : tileX)
    b.make<tkern::AccumulateOp>("", ofScores, plane, sumX);
}

// How many tiles of columns a head has, and where its list begins.
void GradientWriter::countSteps() {
  Value cols = b.constant(schedule.getKeys(), "cols_per_step"), all;
  if (listed) {
    Value blockRows = b.constant(layout.listRows, "list_rows");
    Value blockCols = b.constant(ofKeys ? program.listRows() : program.blockK, "list_cols");
    Value lines = b.make<arith::CeilDivUIOp>("lines", rows, blockRows);
    Value firstOfList = inItems() ? rowOfItem("row_of_list") : firstRow;
    Value listRow = b.quotient("list_row", firstOfList, blockRows);
    if (inItems()) { // items behind the last have rows of no line
      hasRows = b.make<arith::CmpIOp>("list_has_rows", arith::CmpIPredicate::slt, firstOfList, liveRows);
      listRow = b.make<arith::MinSIOp>("live_list_row", listRow, b.sub("last_line", lines, b.constant(int64_t{1})));
    }
    Value line = b.add("line", b.mul("first_line", member, lines), listRow);
    Value colBlocks = b.make<arith::CeilDivUIOp>("col_blocks", ofKeys ? queries : keys, blockCols);
    listBase = b.mul("list_base", line, colBlocks);
    if (tileCounts)
      firstCount = b.mul("first_count", batch, colBlocks);
    Value count = b.make<tkern::ReadOp>("count", b.builder.getIndexType(), counts, line);
    if (inItems()) {
      auto [begin, end] = shareOfPart(count);
      listBase = b.add("part_base", listBase, begin);
      count = b.sub("part_count", end, begin);
    }
    all = b.mul("all_steps", count, b.constant(partsOfEntry(), "parts"));
  } else if (program.listsSteps(stage)) { // found on the way
    colsOfRows = b.make<arith::SelectOp>("cols_of_rows", hasRows, liveCols, b.constant(int64_t{0}));
    return;
  } else {
    all = b.make<arith::CeilDivUIOp>("all_steps", liveCols, cols);
  }
  steps = b.make<arith::SelectOp>("steps", hasRows, all, b.constant(int64_t{0}));
}

int64_t GradientWriter::partsOfEntry() const {
  return listed ? (ofKeys ? program.listRows() : program.blockK) / schedule.getKeys() : 1;
}

// Of a step that may lie beyond the last: no column is live there.
StepColumns GradientWriter::columnsOf(const std::string &name, Value step, bool ahead, Value worker) {
  if (!listed && !window)
    return {b.mul(name, step, b.constant(schedule.getKeys(), "cols_per_step")), Value(), Value(), Value()};
  Value known = step;
  if (ahead) {
    Value last = b.make<arith::MaxSIOp>(name + "_last", b.sub(name + "_end", steps, b.constant(int64_t{1})),
                                        b.constant(int64_t{0}));
    known = b.make<arith::MinSIOp>(name + "_known", step, last);
  }
  Value parts = b.constant(partsOfEntry(), "parts");
  Value at = window ? known : b.quotient(name + "_entry", known, parts);
  if (!window)
    at = b.add(name + "_at", listBase, at);
  StepColumns columns = readEntry(name, entryOf(name, at), ahead, worker);
  columns.at = at;
  Value number = window ? columns.first
                        : b.add(name + "_number", b.mul(name + "_first", columns.first, parts),
                                b.remainder(name + "_part", known, parts));
  columns.first = b.mul(name, number, b.constant(schedule.getKeys(), "cols_per_step"));
  if (ahead) {
    Value exists = b.make<arith::CmpIOp>(name + "_exists", arith::CmpIPredicate::slt, step, steps);
    columns.first = b.make<arith::SelectOp>(name + "_or_none", exists, columns.first, liveCols);
  }
  return columns;
}

// The block of an entry, and what else it says: that the mask cuts it, or which of the workers take it.
StepColumns GradientWriter::readEntry(const std::string &name, Value entry, bool ahead, Value worker) {
  StepColumns columns = {entry, Value(), Value(), Value()};
  if (layout.superRows) {
    columns.first = b.make<tkern::EntryBlockOp>(name + "_listed", b.builder.getIndexType(), entry);
    if (worker)
      columns.takes = b.make<tkern::EntryTakesOp>("takes", b.builder.getI1Type(), entry, worker);
  } else if (stage.mask) {
    if (!ahead)
      columns.partial = b.entryIsPartial("partial", entry);
    columns.first = b.entryNumber(name + "_listed", entry);
  }
  return columns;
}

// At a place of the lists, or of the window.
Value GradientWriter::entryOf(const std::string &name, Value at) {
  Type index = b.builder.getIndexType();
  if (window)
    return b.make<tkern::ListedOp>(name + "_block", index, window, at).getEntry();
  return b.make<tkern::ReadOp>(name + "_block", index, lists, at);
}

Value GradientWriter::product(StringRef name, ValueRange lefts, ValueRange tiles, int64_t depth) {
  Value sum = b.make<tkern::SplatOp>("none", b.tile(schedule.getWorkerRows(), schedule.getKeys()), b.constant(0.0f));
  for (Value left : lefts)
    for (Value tile : tiles)
      sum = b.make<tkern::MatmulOp>(name, left, tile, sum, depth, /*transposed=*/false, /*transposedB=*/true);
  return sum;
}

// Numbers of queries: of this block's rows, or of the columns of a step.
void GradientWriter::loadRows() {
  if (ofKeys)
    return;
  rowShift = rowNumbers("row_shift", shifts);
  if (rests)
    rowRest = rowNumbers("row_rest", rests);
  rowSum = rowNumbers("row_sum", sums);
}

Value GradientWriter::numbersOfRows(StringRef name, Value of) {
  return b.rowsFrom((name + "s").str(), of, b.mul((name + "_at").str(), member, paddedQueries), 1);
}

Value GradientWriter::rowNumbers(StringRef name, Value of) {
  return b.compute(name, b.tile(schedule.getWorkerRows(), 1), "kept_rows", "kept_rows",
                   {b.integer(schedule.getWorkerRows()), b.integer(1)}, {numbersOfRows(name, of), row, liveRows});
}

Value GradientWriter::columnNumbers(StringRef name, Value of, float otherwise) {
  if (layout.numbered)
    return b.make<tkern::ColumnNumbersOp>(name, b.tile(schedule.getWorkerRows(), schedule.getKeys()),
                                          of == shifts ? colsX : colsY, ringStep);
  Value base = b.mul((name + "_base").str(), member, paddedQueries);
  Value limit = b.add((name + "_limit").str(), base, liveCols);
  return b.compute(name, b.tile(schedule.getWorkerRows(), schedule.getKeys()), "column_values", "column_values",
                   {b.integer(schedule.getWorkerRows()), b.integer(schedule.getKeys())},
                   {of, b.add((name + "_at").str(), base, column), limit, b.constant(otherwise)});
}

Value GradientWriter::probabilities(Value scores) {
  if (score)
    scores = mappedPairs("scored", *score, scores);
  scores = takenPairs(allowedPairs(scores));
  auto type = cast<tkern::TileType>(scores.getType());
  Value shift = rowShift, rest = rowRest;
  if (ofKeys) {
    shift = columnNumbers("col_shift", shifts, -std::numeric_limits<float>::infinity());
    if (rests)
      rest = columnNumbers("col_rest", rests, 0);
  }
  if ((!ofKeys && !pass.ofMeans) ||
      score) // a region may make anything of columns that are none, even where the shift is -inf
    scores = b.make<tkern::MaskOp>("masked", type, scores,
                                   tileCounts ? b.tokensLeft(tileCounts, firstCount, program.blockK, column)
                                              : b.sub("cols_left", liveCols, column));
  SmallVector<Value> inputs = {scores, shift};
  SmallVector<StringRef> names = {"s", "m"};
  auto add = [&](Value input, StringRef name) {
    inputs.push_back(input);
    names.push_back(name);
  };
  if (rests)
    add(rest, "r");
  if (pass.ofMeans)
    add(meanWeights(), "w");
  return b.map("p", type, inputs, names, [&](ValueRange x) -> Value {
    Value exponent = b.make<math::FmaOp>("exponent", x[0], unit, x[1]);
    for (Value more : x.drop_front(2))
      exponent = b.make<arith::AddFOp>("exact", exponent, more);
    return b.make<math::Exp2Op>("power", exponent);
  });
}

void GradientWriter::addRows(Value sums, Value tile) {
  auto column = cast<tkern::TileType>(b.tile(schedule.getWorkerRows(), 1));
  Value c0 = b.constant(int64_t{0}), more = b.make<tkern::ReduceOp>("more", column, tkern::ReduceKind::Add, tile);
  Value sum = b.make<tkern::LoadOp>("shares_so_far", column, sums, c0, c0, Value(), Value(), Value());
  sum = b.map("shares_now", column, {sum, more}, {"x", "y"},
              [&](ValueRange x) -> Value { return b.make<arith::AddFOp>("sum", x[0], x[1]); });
  b.make<tkern::StoreOp>("", sum, sums, c0, c0, Value(), Value());
}

Value GradientWriter::pairGradients(Value p, Value ofP) {
  Value sum = ofKeys ? columnNumbers("col_sum", sums, 0) : rowSum;
  return b.map("d_s", cast<tkern::TileType>(p.getType()), {p, ofP, sum}, {"x", "g", "d"}, [&](ValueRange x) -> Value {
    Value centred = b.make<arith::SubFOp>("centred", x[1], x[2], arith::FastMathFlags::contract);
    return b.make<arith::MulFOp>("times_p", x[0], centred, arith::FastMathFlags::contract);
  });
}

} // namespace tercet::compiler
