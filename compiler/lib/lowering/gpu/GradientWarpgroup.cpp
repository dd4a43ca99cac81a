// A gradient kernel by warpgroups of 64 rows, with roles: one thread starts box copies of tiles, the consumers wait per slot and
// release it after their last product has read it.
//
// All products of a step are awaited inside it, so that a worker that passes over the next step holds no slot that others wait
// for. Within a step S and dP are in flight together, and the product of P while dS is made.
#include "GradientWriter.h"

using namespace mlir;

namespace tercet::compiler {

void GradientWriter::buildWarpgroups() {
  auto ring = [&](StringRef name, tkern::RingType type, int64_t offset, int64_t readers, bool numbered) -> Value {
    return b.make<tkern::RingOp>(name, type, b.builder.getI64IntegerAttr(offset), b.builder.getI64IntegerAttr(readers),
                                 numbered);
  };
  rowsX = ring("rows_x", layout.rowsX, 0, /*readers=*/1, false);
  rowsY = ring("rows_y", layout.rowsY, layout.rowsYAt, /*readers=*/1, false);
  colsX = ring("cols_x", layout.colsX, layout.colsXAt, schedule.getWorkers(), layout.numbered);
  colsY = ring("cols_y", layout.colsY, layout.colsYAt, schedule.getWorkers(), layout.numbered);
  auto roles = b.make<tkern::RolesOp>("", schedule.getProducerRegisters(), schedule.getWorkers(),
                                      schedule.getConsumerRegisters());
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToStart(&roles.getProducer().emplaceBlock());
  produce();
  b.builder.setInsertionPointToStart(&roles.getConsumer().emplaceBlock());
  consume();
}

void GradientWriter::produce() {
  for (int64_t worker = 0; worker < schedule.getWorkers(); ++worker) {
    Value number = b.constant(worker), first = firstRow;
    if (worker > 0)
      first = b.add("next_row", firstRow, b.constant(worker * schedule.getWorkerRows()));
    fillBoxes(rowsX, number, ofKeys ? k : q, first, rowHead);
    fillBoxes(rowsY, number, ofKeys ? v : gradient, first, rowHead);
  }
  eachHead([&](Value before) {
    Value colHead = ofKeys ? head : keyHead, ofX, ofY;
    if (layout.numbered) {
      ofX = numbersOfRows("col_shift", shifts);
      ofY = numbersOfRows("col_sum", sums);
    }
    b.loop("j", steps, [&](Value step) {
      Value first = columnsOf("column", step, /*ahead=*/false).first, number = stepOfRings(before, step);
      fillBoxes(colsX, number, ofKeys ? q : k, first, colHead, ofX);
      fillBoxes(colsY, number, ofKeys ? gradient : v, first, colHead, ofY);
    });
  });
}

void GradientWriter::consume() {
  Value worker = b.make<tkern::WorkerOp>("worker", b.builder.getIndexType());
  workerRow = b.mul("worker_row", worker, b.constant(schedule.getWorkerRows(), "worker_rows"));
  row = b.add("row", firstRow, workerRow);
  leftX = {b.wait("x_operand", rowsX, worker, 0)};
  leftY = {b.wait("y_operand", rowsY, worker, 0)};
  startSums();
  loadRows();
  eachHead([&](Value before) {
    b.loop("j", steps, [&](Value step) {
      StepColumns columns = columnsOf("column", step, /*ahead=*/false, worker);
      column = columns.first;
      Value left = b.sub("cols_left", liveCols, column);
      ringStep = stepOfRings(before, step);
      // Beyond a length may lie anything, of which 0 times is not always 0.
      Value tileX = b.wait("x_tile", colsX, ringStep, 0);
      b.make<tkern::ClearRowsOp>("", tileX, left);
      Value tileY = b.wait("y_tile", colsY, ringStep, 0);
      b.make<tkern::ClearRowsOp>("", tileY, left);
      if (columns.takes)
        b.when(columns.takes, [&] { addProducts(tileX, tileY); });
      else
        addProducts(tileX, tileY);
      b.make<tkern::ReleaseOp>("", colsX, ringStep);
      b.make<tkern::ReleaseOp>("", colsY, ringStep);
    });
  });
  b.make<tkern::ReleaseOp>("", rowsX, worker);
  b.make<tkern::ReleaseOp>("", rowsY, worker);
  unlessPart([&] { finish(); }, [&] { keepPart(); });
}

void GradientWriter::eachHead(llvm::function_ref<void(Value)> body) {
  if (!ofKeys) {
    countSteps();
    body(Value());
    return;
  }
  b.loopFrom("share", headsPerKeyHead, "before", b.constant(int64_t{0}), [&](Value share, Value before) -> Value {
    placeShare(share);
    countSteps();
    body(before);
    return b.add("so_far", before, steps);
  });
}

// Steps of the rings go on from head to head.
Value GradientWriter::stepOfRings(Value before, Value step) { return before ? b.add("number", before, step) : step; }

// Products of the worker's rows and a tile of columns, added to its sums.
void GradientWriter::addProducts(Value tileX, Value tileY) {
  Value scores = startProduct("scores", leftX.front(), tileX, layout.xCols), ofP, added;
  if (kernel.ofX)
    ofP = startProduct("d_p", leftY.front(), tileY, layout.yCols);
  Value p = probabilities(awaitTile("scores", scores, /*later=*/kernel.ofX));
  if (kernel.ofY)
    added = startSum("added_y", p, tileY, sumY);
  if (kernel.ofX) {
    Value ofScores = pairGradients(p, awaitTile("d_p", ofP, /*later=*/kernel.ofY));
    Value addedX = startSum("added_x", ofScores, tileX, sumX);
    if (added)
      awaitSum(added, /*later=*/1);
    added = addedX;
  }
  awaitSum(added, /*later=*/0);
}

void GradientWriter::fillBoxes(Value ring, Value step, const GradientSource &source, Value position, Value ofHead,
                               Value numbers) {
  b.make<tkern::FillOp>("", ring, step, source.tensor.base, ValueRange{position, ofHead, batch}, Value(), numbers);
}

Value GradientWriter::startProduct(StringRef name, Value left, Value tile, int64_t depth) {
  Type pending = tkern::PendingType::get(b.builder.getContext(), schedule.getWorkerRows(), schedule.getKeys());
  return b.make<tkern::MatmulAsyncOp>((name + "_product").str(), pending, left, tile, depth);
}

Value GradientWriter::awaitTile(StringRef name, Value product, int64_t later) {
  return b.make<tkern::AwaitOp>(name, b.tile(schedule.getWorkerRows(), schedule.getKeys()), product, later).getTile();
}

Value GradientWriter::startSum(StringRef name, Value pairs, Value tile, Value sum) {
  Type token = tkern::TokenType::get(b.builder.getContext());
  return b.make<tkern::AccumulateAsyncOp>(name, token, pairs, tile, sum);
}

void GradientWriter::awaitSum(Value product, int64_t later) { b.make<tkern::AwaitOp>("", Type(), product, later); }

} // namespace tercet::compiler
