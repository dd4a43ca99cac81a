// Attention by warps of 16 query rows (mma.sync, cp.async: sm_80 on).
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
    Value worker = b.make<tkern::WorkerOp>("worker", b.builder.getIndexType());
    Value workerRow = b.mul("worker_row", worker, b.constant(p.schedule.getWorkerRows(), "worker_rows"));
    row = b.add("row", p.blockRow, workerRow);
    p.startRows();
    if (p.stage.exact)
      attend(workerRow);
    p.finishRows(row, worker);
  }

private:
  void attend(Value workerRow) {
    queries = b.ring("queries", p.layout.queries, p.layout.queriesAt);
    keys = b.ring("keys", p.layout.keys, p.layout.keysAt);
    values = b.ring("values", p.layout.values, p.layout.valuesAt);
    Value qRows = p.rowsOf("q_rows", p.q, p.head, p.program.headDim);
    Value c0 = b.constant(int64_t{0});
    keyRows = p.rowsOf("k_rows", p.k, p.keyHead, p.program.headDim);
    valueRows = p.rowsOf("v_rows", p.v, p.keyHead, p.program.valueDim);
    b.fill(queries, c0, qRows, p.blockRow, p.liveRows);
    if (p.program.listsSteps(p.stage)) { // which tiles come is known after a look at the mask
      Value left = queryRows(workerRow, 0);
      p.eachWindow([&] {
        start();
        loop(left);
      });
      return;
    }
    start();
    Value left = queryRows(workerRow, 2 * slots - 1);
    loop(left);
    if (p.stage.means)
      attendMeans(left);
  }

  // Few steps, with barriers around them instead of copies ahead. A mean is a sum of planes: their products add up.
  void attendMeans(Value left) {
    Value c0 = b.constant(int64_t{0});
    int64_t planes = p.program.meanPlanes();
    SmallVector<Value> meanKeys, meanValues;
    for (int64_t plane = 0; plane < planes; ++plane)
      meanKeys.push_back(p.meanRows("mean_k_rows", p.meanK, plane, p.program.headDim));
    for (int64_t plane = 0; plane < p.program.meanValuePlanes(); ++plane)
      meanValues.push_back(p.meanRows("mean_v_rows", p.meanV, plane, p.program.valueDim));
    Value steps = b.make<arith::CeilDivUIOp>("mean_steps", p.liveBlocks, p.keysPerStep);
    b.loop("t", steps, [&](Value step) {
      Value block = b.mul("first_block", step, p.keysPerStep);
      Value scores =
          b.make<tkern::SplatOp>("none", b.tile(p.schedule.getWorkerRows(), p.schedule.getKeys()), b.constant(0.0f));
      for (int64_t plane = 0; plane < planes; ++plane) {
        b.wait("read_by_all", queries, c0, plane == 0 ? 0 : 1); // a barrier: slots are free after it
        b.fill(keys, c0, meanKeys[plane], block, p.liveBlocks);
        if (plane == 0)
          b.fill(values, c0, meanValues.front(), block, p.liveBlocks);
        Value tile = b.wait("mean_k_tile", keys, c0, plane == 0 ? 1 : 0);
        scores = b.make<tkern::MatmulOp>("scores", left, tile, scores, p.layout.headCols, /*transposed=*/false,
                                         /*transposedB=*/true);
      }
      Value probabilities = p.softmaxOfMeans(scores, block);
      b.make<tkern::AccumulateOp>("", probabilities, b.wait("mean_v_tile", values, c0, 0), p.acc);
      for (Value plane : ArrayRef<Value>(meanValues).drop_front()) {
        b.wait("read_by_all", queries, c0, 0);
        b.fill(values, c0, plane, block, p.liveBlocks);
        b.make<tkern::AccumulateOp>("", probabilities, b.wait("mean_v_tile", values, c0, 0), p.acc);
      }
    });
  }

  void start() {
    for (int64_t number = 0; number < slots; ++number) {
      Value step = b.constant(number);
      Value position = p.keyOf("first_key", step, /*ahead=*/true);
      b.fill(keys, step, keyRows, position, p.liveKeys);
      if (number + 1 < slots)
        b.fill(values, step, valueRows, position, p.liveKeys);
    }
  }

  // Inside the loop, `ahead` steps before they are read.
  void fillAhead(StringRef name, Value ring, Value source, Value step, int64_t ahead) {
    Value later = ahead == 0 ? step : b.add((name + "_step").str(), step, b.constant(ahead));
    b.fill(ring, later, source, p.keyOf((name + "_key").str(), later, ahead > 0), p.liveKeys);
  }

  // The worker's query rows as left operand: registers, or a part of the shared tile.
  // later: fills that came after that of the queries.
  Value queryRows(Value workerRow, int64_t later) {
    Value c0 = b.constant(int64_t{0});
    Value tile = b.wait("q_tile", queries, c0, later);
    tkern::ViewType slot = p.layout.queries.getSlot();
    int64_t rows = p.schedule.getWorkerRows(), cols = p.layout.headCols;
    if (p.schedule.getQueries() == tkern::Space::Register)
      return b.make<tkern::FetchOp>("q_operand", b.view(rows, cols, p.layout.element, cols, tkern::Space::Register),
                                    tile, workerRow, c0);
    return b.make<tkern::SubviewOp>(
        "q_operand", b.view(rows, cols, p.layout.element, slot.getStride(), tkern::Space::Shared), tile, workerRow, c0);
  }

  void loop(Value left) {
    b.loop("j", p.steps, [&](Value step) {
      StepKeys at = p.keysOf("key", step, /*worker=*/Value());
      Value keyTile = b.wait("k_tile", keys, step, inFlight);
      fillAhead("values", values, valueRows, step, slots - 1);
      Value none =
          b.make<tkern::SplatOp>("none", b.tile(p.schedule.getWorkerRows(), p.schedule.getKeys()), b.constant(0.0f));
      Value scores = b.make<tkern::MatmulOp>("scores", left, keyTile, none, p.layout.headCols, /*transposed=*/false,
                                             /*transposedB=*/true);
      Value probabilities = p.softmax(scores, p.keysLeft(at.first), at, row);
      Value valueTile = b.wait("v_tile", values, step, inFlight);
      fillAhead("keys", keys, keyRows, step, slots);
      b.make<tkern::AccumulateOp>("", probabilities, valueTile, p.acc);
    });
    b.make<tkern::DrainOp>("");
  }

  AttendParts &p;
  GpuKernelBuilder &b;
  int64_t slots, inFlight;
  Value row;                   ///< the worker's first
  Value queries, keys, values; ///< rings
  Value keyRows, valueRows;    ///< what fills them
};

} // namespace

void buildAttendWarp(AttendParts &parts) { WarpKernel(parts).build(); }

} // namespace tercet::compiler
