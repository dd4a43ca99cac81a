// Dense attention by warps of 16 query rows (mma.sync, cp.async: sm_80 on).
//
// All threads copy. A ring of S slots is filled S - 1 (values) or S (keys) steps ahead: each wait is a barrier after
// which the slot of the step before is free. With fills in the order k0 v0 k1 v1 .., 2 S - 2 of them are younger than
// the one that a wait is for.
#include "AttendParts.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

class WarpKernel {
public:
  explicit WarpKernel(AttendParts &parts)
      : p(parts), b(parts.b), slots(parts.schedule.getSlots()), inFlight(2 * slots - 2) {}

  void build() {
    queries = ring("queries", p.layout.queries, p.layout.queriesAt);
    keys = ring("keys", p.layout.keys, p.layout.keysAt);
    values = ring("values", p.layout.values, p.layout.valuesAt);
    Value qRows = p.rowsOf("q_rows", p.q, b.item(1), p.program.headDim);
    kRows = p.rowsOf("k_rows", p.k, p.keyHead, p.program.headDim);
    vRows = p.rowsOf("v_rows", p.v, p.keyHead, p.program.valueDim);
    Value worker = b.make<tkern::WorkerOp>("worker", b.builder.getIndexType());
    Value workerRow = b.mul("worker_row", worker, b.constant(p.schedule.getWorkerRows(), "worker_rows"));
    p.startRows();

    fill(queries, b.constant(int64_t{0}), qRows, p.blockRow, p.liveRows);
    for (int64_t step = 0; step < slots; ++step) {
      Value key = b.constant(step * p.schedule.getKeys());
      fill(keys, b.constant(step), kRows, key, p.liveKeys);
      if (step + 1 < slots)
        fill(values, b.constant(step), vRows, key, p.liveKeys);
    }
    Value left = queryRows(workerRow);
    b.loop("j", p.steps, [&](Value step) { buildStep(step, left); });
    b.make<tkern::DrainOp>("");
    p.finishRows(b.add("row", p.blockRow, workerRow));
  }

private:
  Value ring(StringRef name, tkern::RingType type, int64_t offset) {
    return b.make<tkern::RingOp>(name, type, b.builder.getI64IntegerAttr(offset), IntegerAttr());
  }

  void fill(Value ring, Value step, Value source, Value row, Value rows) {
    b.make<tkern::FillOp>("", ring, step, source, row, rows);
  }

  // Inside the loop, `ahead` steps before they are read.
  void fillAhead(StringRef name, Value ring, Value step, int64_t ahead, Value source) {
    Value later = ahead == 0 ? step : b.add((name + "_step").str(), step, b.constant(ahead));
    fill(ring, later, source, b.mul((name + "_key").str(), later, p.keysPerStep), p.liveKeys);
  }

  Value wait(StringRef name, Value ring, Value step, int64_t later) {
    return b.make<tkern::WaitOp>(name, cast<tkern::RingType>(ring.getType()).getSlot(), ring, step, later);
  }

  // The worker's query rows as left operand: registers, or a part of the shared tile.
  Value queryRows(Value workerRow) {
    Value c0 = b.constant(int64_t{0});
    Value tile = wait("q_tile", queries, c0, 2 * slots - 1);
    tkern::ViewType slot = p.layout.queries.getSlot();
    int64_t rows = p.schedule.getWorkerRows(), cols = p.layout.headCols;
    if (p.schedule.getQueries() == tkern::Space::Register)
      return b.make<tkern::FetchOp>("q_operand", b.view(rows, cols, p.layout.element, cols, tkern::Space::Register),
                                    tile, workerRow, c0);
    return b.make<tkern::SubviewOp>(
        "q_operand", b.view(rows, cols, p.layout.element, slot.getStride(), tkern::Space::Shared), tile, workerRow, c0);
  }

  void buildStep(Value step, Value left) {
    Value key = b.mul("key", step, p.keysPerStep);
    Value keysLeft = b.sub("keys_left", p.liveKeys, key);
    Value keyTile = wait("k_tile", keys, step, inFlight);
    fillAhead("values", values, step, slots - 1, vRows);
    Value none =
        b.make<tkern::SplatOp>("none", b.tile(p.schedule.getWorkerRows(), p.schedule.getKeys()), b.constant(0.0f));
    Value scores = b.make<tkern::MatmulOp>("scores", left, keyTile, none, p.layout.headCols, /*transposed=*/false,
                                           /*transposedB=*/true);
    Value probabilities = p.softmax(scores, step, keysLeft);
    Value valueTile = wait("v_tile", values, step, inFlight);
    fillAhead("keys", keys, step, slots, kRows);
    b.make<tkern::AccumulateOp>("", probabilities, valueTile, p.acc);
  }

  AttendParts &p;
  GpuKernelBuilder &b;
  int64_t slots, inFlight;
  Value queries, keys, values, kRows, vRows;
};

} // namespace

void buildAttendWarp(AttendParts &parts) { WarpKernel(parts).build(); }

} // namespace tercet::compiler
