// H_i, the state summed over a row's linear set: additions only, so that nothing cancels. Where a head has rows enough,
// every few neighbouring key blocks first get a table of the sums of all their subsets, and a row adds one entry per
// table (the method of four Russians: Arlazarov et al. 1970); else it adds its blocks one by one. The linear_sets
// builtin names what a row adds. Costs: docs/decisions/0008-aggregation.md.
//
// A few columns at a time, so that the tables of a segment of key blocks stay in L2 while every row takes its share.
#include "CpuKernels.h"
#include "KernelBuilder.h"

#include <numeric>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {

class AggregateBuilder {
public:
  AggregateBuilder(ModuleOp module, StringRef name, const Program &program, const CpuSchedule &schedule, int64_t width,
                   bool inSlices, bool ofQueries)
      : program(program), schedule(schedule), k(module, name), width(width), inSlices(inSlices), ofQueries(ofQueries) {}
  void build();

private:
  void sumAll(Value col);
  void tabulate(Value segment, Value col);
  void addStates(Value row, Value col, bool fromZero, Value from, Value to, llvm::function_ref<Value(Value)> state);
  void forRows(llvm::function_ref<void(Value, Value)> body);
  void sumBlocks(Value col);
  void sumSubsets(Value col);
  Value place(Value row);

  const Program &program;
  const CpuSchedule &schedule;
  KernelBuilder k;
  int64_t width;    ///< floats of a row that lie together
  bool inSlices;    ///< chunks of h, laid out by slice and chunk; else rows of z
  bool ofQueries;   ///< states of query blocks, of which every query head has its own; else of key blocks
  int64_t part = 0; ///< columns summed at a time
  Value source, destination, lists, counts, lengths, headsKV, headsPerKV, tokens, firstPair, blocksQ, blocksK, slices;
  Value rows, firstRow, patterns, subset, zero, states, tables, liveBlocks;
};
} // namespace

// Where the item's part of an owner's row of the pass lies, counted in rows of `width`: the rows of a chunk lie together.
Value AggregateBuilder::place(Value row) {
  Value owner = k.item(2);
  Value part = inSlices ? k.add(k.mul(k.add(k.mul(owner, slices), k.item(1)), schedule.chunks()), k.item(0)) : owner;
  return k.add(k.mul(part, rows), row);
}

// One state per pair, of all blocks.
void AggregateBuilder::sumAll(Value col) {
  Value sum = k.loop(zero, liveBlocks, 1, k.splat(k.real(0), 1, part), [&](Value j, ValueRange carried) {
    return SmallVector<Value>{k.tileSum(carried[0], k.load(states, j, 1, part, col))};
  })[0];
  k.store(sum, k.view(destination, k.mul(place(zero), width), width), zero, col);
}

// The sums of all subsets of each run of `subsetBlocks` blocks of a segment: row (run << subsetBlocks) + bits. Block b
// doubles what the blocks before it made.
void AggregateBuilder::tabulate(Value segment, Value col) {
  int64_t run = schedule.subsetBlocks;
  Value first = k.mul(segment, schedule.segmentBlocks);
  Value live = k.min(k.sub(liveBlocks, first), k.index(schedule.segmentBlocks));
  k.loop(zero, k.ceilDiv(live, run), 1, [&](Value table) {
    Value row = k.mul(table, int64_t{1} << run), block = k.add(first, k.mul(table, run));
    k.store(k.splat(k.real(0), 1, part), tables, row);
    for (int64_t b = 0; b < run; ++b) {
      // A run that the keys end in repeats its last block: nothing names those sums.
      Value state = k.load(states, k.min(k.add(block, b), k.sub(liveBlocks, k.index(1))), 1, part, col);
      k.loop(zero, k.index(int64_t{1} << b), 1, [&](Value subset) {
        Value at = k.add(row, subset);
        k.store(k.tileSum(k.load(tables, at, 1, part), state), tables, k.add(at, int64_t{1} << b));
      });
    }
  });
}

// Adds to a row of H what `state` gives for the numbers from..to; several sums side by side hide the latency of additions.
void AggregateBuilder::addStates(Value row, Value col, bool fromZero, Value from, Value to,
                                 llvm::function_ref<Value(Value)> state) {
  int64_t chains = schedule.aggregateChains;
  Value none = k.splat(k.real(0), 1, part);
  SmallVector<Value> sums(chains, none);
  if (!fromZero)
    sums[0] = k.load(row, zero, 1, part, col);
  Value whole = k.add(from, k.mul(k.div(k.sub(to, from), k.index(chains)), chains));
  sums = k.loop(from, whole, chains, sums, [&](Value e, ValueRange carried) {
    SmallVector<Value> next;
    for (int64_t c = 0; c < chains; ++c)
      next.push_back(k.tileSum(carried[c], state(k.add(e, c))));
    return next;
  });
  while (sums.size() > 1) {
    for (size_t c = 0; c < sums.size() / 2; ++c)
      sums[c] = k.tileSum(sums[2 * c], sums[2 * c + 1]);
    sums.truncate(sums.size() / 2);
  }
  Value sum = sums[0];
  sum = k.loop(whole, to, 1, sum,
               [&](Value e, ValueRange carried) { return SmallVector<Value>{k.tileSum(carried[0], state(e))}; })[0];
  k.store(sum, row, zero, col);
}

// body(listed, row of H) for the rows of the pass that have a linear set.
void AggregateBuilder::forRows(llvm::function_ref<void(Value, Value)> body) {
  k.loop(zero, rows, 1, [&](Value row) {
    Value listed = k.add(k.mul(k.item(2), blocksQ), k.add(firstRow, row));
    k.when(k.notEqual(k.read(counts, listed), zero),
           [&] { body(listed, k.view(destination, k.mul(place(row), width), width)); });
  });
}

void AggregateBuilder::sumBlocks(Value col) {
  forRows([&](Value listed, Value row) {
    Value entries = k.mul(listed, blocksK);
    addStates(row, col, /*fromZero=*/true, zero, k.read(counts, listed),
              [&](Value e) { return k.load(states, k.read(lists, k.add(entries, e)), 1, part, col); });
  });
}

// Segment by segment: tables, then one entry of each for every row.
void AggregateBuilder::sumSubsets(Value col) {
  int64_t run = schedule.subsetBlocks, runsOfSegment = schedule.segmentBlocks / run;
  Value runs = k.ceilDiv(blocksK, run);
  k.loop(zero, k.ceilDiv(runs, runsOfSegment), 1, [&](Value segment) {
    tabulate(segment, col);
    Value first = k.mul(segment, runsOfSegment), count = k.min(k.sub(runs, first), k.index(runsOfSegment));
    forRows([&](Value listed, Value row) {
      k.when(k.equal(segment, zero), [&] { k.store(k.splat(k.real(0), 1, part), row, zero, col); });
      Value entries = k.add(k.mul(listed, runs), first);
      addStates(row, col, /*fromZero=*/false, zero, count, [&](Value e) {
        Value table = k.mul(e, int64_t{1} << run);
        return k.load(tables, k.add(table, k.read(patterns, k.add(entries, e))), 1, part);
      });
    });
  });
}

void AggregateBuilder::build() {
  source = k.pointer(DType::f32);
  destination = k.pointer(DType::f32);
  lists = k.pointer(DType::i32);
  counts = k.pointer(DType::i32);
  patterns = k.pointer(DType::i8);
  Value used = k.pointer(DType::i32);
  lengths = k.pointer(DType::i32);
  for (Value *slot :
       {&headsKV, &headsPerKV, &tokens, &firstPair, &blocksQ, &blocksK, &slices, &rows, &firstRow, &subset})
    *slot = k.integer();
  part = std::gcd(width, schedule.aggregateColumns);
  zero = k.index(0);
  Value g = program.globalState() && !ofQueries ? k.item(2) : k.div(k.item(2), headsPerKV);
  Value batch = k.div(k.add(firstPair, g), headsKV), owner = ofQueries ? k.item(2) : g;
  liveBlocks = k.ceilDiv(k.tokenCount(lengths, batch, tokens), ofQueries ? schedule.queries.packed : schedule.blockK);
  int64_t chunks = inSlices ? schedule.chunks() : 1;
  Value chunk = inSlices ? k.add(k.mul(k.add(k.mul(owner, slices), k.item(1)), chunks), k.item(0)) : owner;
  states = k.view(source, k.mul(k.mul(chunk, blocksK), width), width);
  if (program.globalState()) {
    k.loop(zero, k.index(width), part, [&](Value col) { sumAll(col); });
    k.end();
    return;
  }
  tables = k.scratch(schedule.segmentBlocks / schedule.subsetBlocks << schedule.subsetBlocks, part);
  k.when(k.notEqual(k.read(used, g), zero), [&] {
    k.loop(zero, k.index(width), part, [&](Value col) {
      k.when(
          k.equal(subset, k.index(1)), [&] { sumBlocks(col); }, [&] { sumSubsets(col); });
    });
  });
  k.end();
}

static void buildBoth(ModuleOp module, const Program &program, const CpuSchedule &schedule, StringRef ofStates,
                      StringRef ofNormalisers, bool ofQueries) {
  int64_t chunk = schedule.featureChunk * schedule.valueSlice;
  AggregateBuilder(module, ofStates, program, schedule, chunk, /*inSlices=*/true, ofQueries).build();
  AggregateBuilder(module, ofNormalisers, program, schedule, schedule.featureDim, /*inSlices=*/false, ofQueries)
      .build();
}

void compiler::buildAggregate(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  buildBoth(module, program, schedule, "aggregate", "aggregate_z", /*ofQueries=*/false);
}

void compiler::buildGradientAggregate(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  buildBoth(module, program, schedule, "aggregate_dh", "aggregate_dz", /*ofQueries=*/true);
}
