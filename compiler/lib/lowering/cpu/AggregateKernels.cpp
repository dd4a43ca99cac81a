// H_i, the state summed over a row's linear set: add the blocks of the set, or subtract the others from the sum over
// all, whichever list is shorter (the linear_lists builtin decides). Chunk by chunk, so that the chunks of all key
// blocks stay in L2 while every row of the head takes its share.
#include "CpuKernels.h"
#include "KernelBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static Value multiplyAdd(KernelBuilder &k, Value factor, Value x, Value sum) {
  return k.map({x, sum}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    return body.create<math::FmaOp>(loc, v[0], factor, v[1]);
  });
}

/// One kernel for rows of `width` values; `inSlices`: chunks of h, laid out by slice and chunk, else rows of z.
static void buildOne(ModuleOp module, StringRef name, const Program &program, const CpuSchedule &schedule,
                     int64_t width, bool inSlices) {
  KernelBuilder k(module, name);
  Value source = k.pointer(DType::f32), destination = k.pointer(DType::f32);
  Value lists = k.pointer(DType::i32), counts = k.pointer(DType::i32), lengths = k.pointer(DType::i32);
  Value headsKV = k.integer(), headsPerKV = k.integer(), tokens = k.integer(), firstPair = k.integer();
  Value blocksQ = k.integer(), blocksK = k.integer(), capacity = k.integer(), slices = k.integer();

  Value chunk = k.item(0), slice = k.item(1), gr = k.item(2), zero = k.index(0);
  bool global = program.globalState();
  Value g = global ? gr : k.div(gr, headsPerKV);
  Value batch = k.div(k.add(firstPair, g), headsKV);
  Value blocks = k.ceilDiv(k.tokenCount(lengths, batch, tokens), schedule.blockK);

  int64_t chunks = inSlices ? schedule.chunks() : 1;
  auto place = [&](Value owner) { // (owner, slice, chunk) among the chunks
    return inSlices ? k.add(k.mul(k.add(k.mul(owner, slices), slice), chunks), chunk) : owner;
  };
  Value from = k.view(source, k.mul(k.mul(place(g), blocksK), width), width);
  Value none = k.splat(k.real(0), 1, width), one = k.real(1), minus = k.real(-1);
  Value all = k.loop(zero, blocks, 1, none, [&](Value j, ValueRange sum) {
    return SmallVector<Value>{multiplyAdd(k, one, k.load(from, j, 1, width), sum[0])};
  })[0];

  // A row's state holds its chunks side by side: element (row, chunk) at (row * chunks + chunk) * width.
  auto rowView = [&](Value row) {
    Value owner = inSlices ? k.add(k.mul(gr, slices), slice) : gr;
    Value index =
        k.add(k.mul(k.add(k.mul(owner, global ? k.index(1) : blocksQ), row), chunks), inSlices ? chunk : zero);
    return k.view(destination, k.mul(index, width), width);
  };
  if (global) {
    k.store(all, rowView(zero), zero);
    return k.end();
  }
  Value total = k.scratch(1, width), null = k.scratch(1, width);
  k.store(all, total, zero);
  k.store(none, null, zero);
  k.loop(zero, blocksQ, 1, [&](Value row) {
    Value listed = k.add(k.mul(gr, blocksQ), row);
    Value count = k.read(counts, listed);
    Value subtract = k.less(count, zero);
    Value length = k.select(subtract, k.sub(k.index(-1), count), count);
    Value sign = k.select(subtract, minus, one);
    Value start = k.selectView(subtract, total, null);
    Value entries = k.mul(listed, capacity);
    Value sum = k.loop(zero, length, 1, k.load(start, zero, 1, width), [&](Value e, ValueRange carried) {
      Value j = k.read(lists, k.add(entries, e));
      return SmallVector<Value>{multiplyAdd(k, sign, k.load(from, j, 1, width), carried[0])};
    })[0];
    k.store(sum, rowView(row), zero);
  });
  k.end();
}

void compiler::buildAggregate(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  buildOne(module, "aggregate", program, schedule, schedule.featureChunk * schedule.valueSlice, /*inSlices=*/true);
  buildOne(module, "aggregate_z", program, schedule, schedule.featureDim, /*inSlices=*/false);
}
