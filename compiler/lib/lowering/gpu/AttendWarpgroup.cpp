// Attention by warpgroups of 64 query rows (wgmma, TMA, setmaxnreg: sm_90a).
//
// One thread starts box copies of query, key and value tiles; the consumers wait per slot and release it after their
// last product has read it. Both products are awaited inside a step, so that no accumulator is in flight across it: a
// worker that passes over the next step holds no slot that others wait for.
#include "AttendParts.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

class WarpgroupKernel {
public:
  explicit WarpgroupKernel(AttendParts &parts) : p(parts), b(parts.b) {}

  void build() {
    queries = ring("queries", p.layout.queries, p.layout.queriesAt, /*readers=*/1);
    keys = ring("keys", p.layout.keys, p.layout.keysAt, p.schedule.getWorkers());
    values = ring("values", p.layout.values, p.layout.valuesAt, p.schedule.getWorkers());
    workerRows = b.constant(p.schedule.getWorkerRows(), "worker_rows");
    auto roles = b.make<tkern::RolesOp>("", p.schedule.getProducerRegisters(), p.schedule.getWorkers(),
                                        p.schedule.getConsumerRegisters());
    OpBuilder::InsertionGuard guard(b.builder);
    b.builder.setInsertionPointToStart(&roles.getProducer().emplaceBlock());
    produce();
    b.builder.setInsertionPointToStart(&roles.getConsumer().emplaceBlock());
    consume();
  }

private:
  Value ring(StringRef name, tkern::RingType type, int64_t offset, int64_t readers) {
    return b.make<tkern::RingOp>(name, type, b.builder.getI64IntegerAttr(offset), b.builder.getI64IntegerAttr(readers),
                                 /*numbered=*/false);
  }

  void fill(Value ring, Value step, const TensorArgument &tensor, Value row, Value head) {
    b.make<tkern::FillOp>("", ring, step, tensor.base, ValueRange{row, head, p.batch}, Value());
  }

  Value wait(StringRef name, Value ring, Value step) {
    return b.make<tkern::WaitOp>(name, cast<tkern::RingType>(ring.getType()).getSlot(), ring, step, 0);
  }

  void release(Value ring, Value step) { b.make<tkern::ReleaseOp>("", ring, step); }

  void produce() {
    for (int64_t worker = 0; worker < p.schedule.getWorkers(); ++worker) {
      Value row = p.blockRow;
      if (worker > 0)
        row = b.add("next_row", p.blockRow, b.constant(worker * p.schedule.getWorkerRows()));
      fill(queries, b.constant(worker), p.q, row, p.head);
    }
    b.loop("j", p.steps, [&](Value step) {
      Value key = p.keyOf("key", step, /*ahead=*/false);
      fill(keys, step, p.k, key, p.keyHead);
      fill(values, step, p.v, key, p.keyHead);
    });
  }

  void consume() {
    Value worker = b.make<tkern::WorkerOp>("worker", b.builder.getIndexType());
    Value workerRow = b.mul("worker_row", worker, workerRows);
    Value row = b.add("row", p.blockRow, workerRow);
    p.startRows();
    Value tile = wait("q_tile", queries, worker), left = tile;
    if (p.schedule.getQueries() == tkern::Space::Register) {
      Value c0 = b.constant(int64_t{0});
      left = b.make<tkern::FetchOp>("q_operand",
                                    b.view(p.schedule.getWorkerRows(), p.layout.headCols, p.layout.element,
                                           p.layout.headCols, tkern::Space::Register),
                                    tile, c0, c0);
    }
    b.loop("j", p.steps, [&](Value step) {
      StepKeys taken = p.keysOf("key", step, worker);
      Value keysLeft = b.sub("keys_left", p.liveKeys, taken.first);
      if (taken.takes)
        b.when(
            taken.takes, [&] { attendStep(step, keysLeft, left); }, [&] { passStep(step, keysLeft); });
      else
        attendStep(step, keysLeft, left);
    });
    release(queries, worker);
    p.finishRows(row, worker);
  }

  // Keys that the worker's rows do not take: the slots are released, and rows cleared together, all the same.
  void passStep(Value step, Value keysLeft) {
    wait("k_tile", keys, step);
    release(keys, step);
    Value valueTile = wait("v_tile", values, step);
    b.make<tkern::ClearRowsOp>("", valueTile, keysLeft);
    release(values, step);
  }

  void attendStep(Value step, Value keysLeft, Value left) {
    Value keyTile = wait("k_tile", keys, step);
    MLIRContext *context = b.builder.getContext();
    Type pending = tkern::PendingType::get(context, p.schedule.getWorkerRows(), p.schedule.getKeys());
    Value product = b.make<tkern::MatmulAsyncOp>("product", pending, left, keyTile, p.layout.headCols);
    Value scores =
        b.make<tkern::AwaitOp>("scores", b.tile(p.schedule.getWorkerRows(), p.schedule.getKeys()), product, 0)
            .getTile();
    release(keys, step);
    Value probabilities = p.softmax(scores, keysLeft);
    Value valueTile = wait("v_tile", values, step);
    b.make<tkern::ClearRowsOp>("", valueTile, keysLeft);
    Value added =
        b.make<tkern::AccumulateAsyncOp>("added", tkern::TokenType::get(context), probabilities, valueTile, p.acc);
    b.make<tkern::AwaitOp>("", Type(), added, 0);
    release(values, step);
  }

  AttendParts &p;
  GpuKernelBuilder &b;
  Value queries, keys, values, workerRows;
};

} // namespace

void buildAttendWarpgroup(AttendParts &parts) { WarpgroupKernel(parts).build(); }

} // namespace tercet::compiler
