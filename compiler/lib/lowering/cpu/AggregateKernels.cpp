// H_i, the state summed over a row's linear set: add the blocks of the set, or subtract the others from the sum over
// all, whichever costs less (the linear_lists builtin decides). Chunk by chunk, so that the chunks of all key blocks
// stay in L2 while every row of the head takes its share.
//
// A difference may be far smaller than what it is taken of (peaked features: the blocks outside the set hold nearly all
// of a column). So the sum over all and the differences are kept as pairs of floats, whose errors Knuth's two-sum
// carries along exactly; the result is as good as the direct sum (docs/numerics.md#subtraction).
#include "CpuKernels.h"
#include "KernelBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {
/// A tile as an unevaluated sum: what f32 holds of it and what it does not.
struct Pair {
  Value high, low;
};

class AggregateBuilder {
public:
  AggregateBuilder(ModuleOp module, StringRef name, const Program &program, const CpuSchedule &schedule, int64_t width,
                   bool inSlices)
      : program(program), schedule(schedule), k(module, name), width(width), inSlices(inSlices) {}
  void build();

private:
  void sumAll();
  void sumRow(Value row);
  Value place(Value owner, Value rows, Value row);
  Value plus(Value a, Value b);
  Pair plus(Pair sum, Value x, bool negated);

  const Program &program;
  const CpuSchedule &schedule;
  KernelBuilder k;
  int64_t width; ///< floats of a row that lie together
  bool inSlices; ///< chunks of h, laid out by slice and chunk; else rows of z
  /// Columns summed at a time: a pair of them and a loaded row fill half the registers.
  int64_t part = 0;
  Value source, destination, lists, counts, lengths, headsKV, headsPerKV, tokens, firstPair, blocksQ, blocksK, capacity;
  Value slices, zero, from, totalHigh, totalLow;
};
} // namespace

Value AggregateBuilder::plus(Value a, Value b) {
  return k.map({a, b}, [](OpBuilder &body, Location loc, ValueRange v) -> Value {
    return body.create<arith::AddFOp>(loc, v[0], v[1]);
  });
}

// Two-sum (Knuth, TAOCP 2, 4.2.2, theorem B): high + x = s + error without rounding, whichever is larger.
Pair AggregateBuilder::plus(Pair sum, Value x, bool negated) {
  auto map = [&](ValueRange inputs, auto body) {
    return k.map(inputs, [&](OpBuilder &b, Location loc, ValueRange v) -> Value { return body(b, loc, v); });
  };
  Value s = map({sum.high, x}, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return negated ? b.create<arith::SubFOp>(loc, v[0], v[1]).getResult()
                   : b.create<arith::AddFOp>(loc, v[0], v[1]).getResult();
  });
  Value low = map({sum.low, sum.high, x, s}, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    auto sub = [&](Value a, Value c) -> Value { return b.create<arith::SubFOp>(loc, a, c); };
    auto add = [&](Value a, Value c) -> Value { return b.create<arith::AddFOp>(loc, a, c); };
    Value taken = sub(v[3], v[1]);                                 // what s took of x
    Value lostOfSum = sub(v[1], sub(v[3], taken));                 // and of high
    Value lostOfX = negated ? add(v[2], taken) : sub(v[2], taken); // x' - taken, x' = -x where negated
    return add(v[0], negated ? sub(lostOfSum, lostOfX) : add(lostOfSum, lostOfX));
  });
  return {s, low};
}

// Element (row, chunk) of an owner's rows: the chunks of a row lie side by side in the result.
Value AggregateBuilder::place(Value owner, Value rows, Value row) {
  int64_t chunks = inSlices ? schedule.chunks() : 1;
  Value first = inSlices ? k.add(k.mul(owner, slices), k.item(1)) : owner;
  return k.add(k.mul(k.add(k.mul(first, rows), row), chunks), inSlices ? k.item(0) : zero);
}

void AggregateBuilder::sumAll() {
  totalHigh = k.scratch(1, width);
  totalLow = k.scratch(1, width);
  Value batch = k.div(k.add(firstPair, program.globalState() ? k.item(2) : k.div(k.item(2), headsPerKV)), headsKV);
  Value blocks = k.ceilDiv(k.tokenCount(lengths, batch, tokens), schedule.blockK);
  for (int64_t col = 0; col < width; col += part) {
    Value none = k.splat(k.real(0), 1, part), at = k.index(col);
    SmallVector<Value> sum = k.loop(zero, blocks, 1, {none, none}, [&](Value j, ValueRange carried) {
      Pair next = plus({carried[0], carried[1]}, k.load(from, j, 1, part, at), /*negated=*/false);
      return SmallVector<Value>{next.high, next.low};
    });
    k.store(sum[0], totalHigh, zero, at);
    k.store(sum[1], totalLow, zero, at);
  }
}

void AggregateBuilder::sumRow(Value row) {
  Value listed = k.add(k.mul(k.item(2), blocksQ), row);
  Value count = k.read(counts, listed), entries = k.mul(listed, capacity);
  Value to = k.view(destination, k.mul(place(k.item(2), blocksQ, row), width), width);
  auto column = [&](Value e, int64_t cols, Value at) {
    return k.load(from, k.read(lists, k.add(entries, e)), 1, cols, at);
  };
  k.when(
      k.less(count, zero),
      [&] {
        for (int64_t col = 0; col < width; col += part) {
          Value at = k.index(col);
          SmallVector<Value> start{k.load(totalHigh, zero, 1, part, at), k.load(totalLow, zero, 1, part, at)};
          SmallVector<Value> rest = k.loop(zero, k.sub(k.index(-1), count), 1, start, [&](Value e, ValueRange carried) {
            Pair next = plus({carried[0], carried[1]}, column(e, part, at), /*negated=*/true);
            return SmallVector<Value>{next.high, next.low};
          });
          k.store(plus(rest[0], rest[1]), to, zero, at);
        }
      },
      [&] {
        Value sum = k.loop(zero, count, 1, k.splat(k.real(0), 1, width), [&](Value e, ValueRange carried) {
          return SmallVector<Value>{plus(carried[0], column(e, width, zero))};
        })[0];
        k.store(sum, to, zero);
      });
}

void AggregateBuilder::build() {
  source = k.pointer(DType::f32);
  destination = k.pointer(DType::f32);
  lists = k.pointer(DType::i32);
  counts = k.pointer(DType::i32);
  lengths = k.pointer(DType::i32);
  for (Value *slot : {&headsKV, &headsPerKV, &tokens, &firstPair, &blocksQ, &blocksK, &capacity, &slices})
    *slot = k.integer();
  part = width % (4 * schedule.lanes) == 0 ? 4 * schedule.lanes : 16;
  zero = k.index(0);
  Value g = program.globalState() ? k.item(2) : k.div(k.item(2), headsPerKV);
  int64_t chunks = inSlices ? schedule.chunks() : 1;
  Value chunk = inSlices ? k.add(k.mul(k.add(k.mul(g, slices), k.item(1)), chunks), k.item(0)) : g;
  from = k.view(source, k.mul(k.mul(chunk, blocksK), width), width);
  sumAll();
  if (program.globalState()) {
    Value to = k.view(destination, k.mul(place(k.item(2), k.index(1), zero), width), width);
    k.store(plus(k.load(totalHigh, zero, 1, width), k.load(totalLow, zero, 1, width)), to, zero);
  } else {
    k.loop(zero, blocksQ, 1, [&](Value row) { sumRow(row); });
  }
  k.end();
}

void compiler::buildAggregate(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  int64_t chunk = schedule.featureChunk * schedule.valueSlice;
  AggregateBuilder(module, "aggregate", program, schedule, chunk, /*inSlices=*/true).build();
  AggregateBuilder(module, "aggregate_z", program, schedule, schedule.featureDim, /*inSlices=*/false).build();
}
