// Rings of a gradient kernel of warps, and the operands of its rows.
#include "GradientWriter.h"

using namespace mlir;

namespace tercet::compiler {

void GradientWriter::makeRings() {
  rowsX = b.ring("rows_x", layout.rowsX, 0);
  rowsY = b.ring("rows_y", layout.rowsY, layout.rowsYAt);
  colsX = b.ring("cols_x", layout.colsX, layout.colsXAt);
  colsY = b.ring("cols_y", layout.colsY, layout.colsYAt);
}

void GradientWriter::loadOperands() {
  Value c0 = b.constant(int64_t{0});
  if (pass.ofMeans && ofKeys) {
    fillMeans(rowsX, rowsY, firstRow, liveRows);
  } else {
    b.fill(rowsX, c0, rowsOf("x_rows", ofKeys ? k : q, 0, program.headDim), firstRow, liveRows);
    for (int64_t plane = 0; plane < layout.rowsY.getSlots(); ++plane)
      b.fill(rowsY, b.constant(plane), rowsOf("y_rows", ofKeys ? v : gradient, plane, program.valueDim), firstRow,
             liveRows);
  }
  Value worker = b.make<tkern::WorkerOp>("worker", b.builder.getIndexType());
  workerRow = b.mul("worker_row", worker, b.constant(schedule.getWorkerRows(), "worker_rows"));
  row = b.add("row", firstRow, workerRow);
  leftX.clear();
  leftY.clear();
  int64_t ofX = layout.rowsX.getSlots(), ofY = layout.rowsY.getSlots();
  for (int64_t plane = 0; plane < ofX; ++plane)
    leftX.push_back(left("x", rowsX, plane, workerRow, /*later=*/ofX - 1 - plane + ofY));
  for (int64_t plane = 0; plane < ofY; ++plane)
    leftY.push_back(left("y", rowsY, plane, workerRow, /*later=*/ofY - 1 - plane));
}

Value GradientWriter::left(StringRef name, Value ring, int64_t slotNumber, Value workerRow, int64_t later) {
  Value c0 = b.constant(int64_t{0}), tile = b.wait((name + "_tile").str(), ring, b.constant(slotNumber), later);
  tkern::ViewType slot = cast<tkern::RingType>(ring.getType()).getSlot();
  return b.make<tkern::SubviewOp>(
      (name + "_operand").str(),
      b.view(schedule.getWorkerRows(), slot.getCols(), layout.element, slot.getStride(), tkern::Space::Shared), tile,
      workerRow, c0);
}

} // namespace tercet::compiler
