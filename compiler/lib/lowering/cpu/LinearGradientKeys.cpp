// The linear branch's backward by key blocks: dphi(K) = V dH^T + 1 dZ^T and dV = phi(K) dH, with the sums over the query heads that
// share the keys.
#include "CpuKernels.h"
#include "FeatureMap.h"
#include "GradientTokens.h"
#include "LinearSides.h"
#include "LinearState.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {

class LinearKeysBuilder {
public:
  LinearKeysBuilder(ModuleOp module, const Program &program, const CpuSchedule &schedule)
      : program(program), schedule(schedule), k(module, "linear_keys"), keys(k, program.dtype), sides(k),
        zero(k.index(0)) {
    for (Value *slot : {&dH, &dZ, &packedV, &dk, &dv})
      *slot = k.pointer(DType::f32);
  }
  void build();

private:
  void locate();
  void eachHead(function_ref<void(Value owner)> body);
  void sumStates(Value slice, Value into);
  void addSlices();
  void finishRows();

  const Program &program;
  const CpuSchedule &schedule;
  KernelBuilder k;
  GradientTokens keys;
  LinearSides sides;
  Value zero, dH, dZ, packedV, dk, dv;
  Value number, pair, rows, tokens, firstRow, phi, products;
  int64_t block = schedule.keys.packed, F = schedule.featureDim, SW = schedule.valueSlice;
  int64_t tileRows = (block + schedule.featureRows - 1) / schedule.featureRows * schedule.featureRows;
};

void LinearKeysBuilder::locate() {
  number = k.item(0);
  pair = k.add(sides.firstPair, k.item(1));
  Value batch = k.div(pair, sides.headsKV), first = k.mul(number, block);
  Value left = k.sub(k.tokenCount(sides.lengths, batch, sides.tokens), first);
  rows = k.max(k.min(left, k.index(block)), zero);
  tokens = keys.rows(k, batch, k.rem(pair, sides.headsKV), first, program.headDim);
  firstRow = k.mul(k.add(k.mul(k.item(1), sides.blocks), number), block);
}

// The query heads whose sets have the block, in their order.
void LinearKeysBuilder::eachHead(function_ref<void(Value)> body) {
  k.loop(zero, sides.headsPerKV, 1, [&](Value r) {
    Value owner = k.add(k.mul(k.item(1), sides.headsPerKV), r);
    k.when(sides.hasSet(k, program, owner, number), [&] { body(owner); });
  });
}

void LinearKeysBuilder::sumStates(Value slice, Value into) {
  k.clearRows(into, zero, k.index(F), SW);
  eachHead([&](Value owner) {
    StatePlace from{dH, owner, sides.stateRows, sides.stateRow(k, program, number), sides.slices};
    k.loop(zero, k.index(schedule.chunks()), 1, [&](Value chunk) {
      Value row = k.mul(chunk, schedule.featureChunk), part = from.chunk(k, schedule, slice, chunk);
      Value share = k.load(part, zero, schedule.featureChunk, SW);
      k.store(k.tileSum(k.load(into, row, schedule.featureChunk, SW), share), into, row);
    });
  });
}

void LinearKeysBuilder::addSlices() {
  const GradientSide &side = schedule.keys;
  Value state = k.scratch(F, SW), into = k.view(dv, k.mul(firstRow, schedule.valueDim), schedule.valueDim);
  Value perPair = k.mul(sides.blocks, block / side.tile);
  Value firstTile = k.add(k.mul(k.item(1), perPair), k.mul(number, block / side.tile));
  k.loop(zero, sides.slices, 1, [&](Value slice) {
    Value ofAll = k.add(sides.firstSlice, slice);
    sumStates(slice, state);
    addSliceProduct(
        k, schedule, state, F, ofAll,
        {packedV, firstTile, program.valueDim, block, side.tile, schedule.inPanels ? schedule.keyPanel : side.tile},
        products);
    k.loop(zero, rows, schedule.featureRows, [&](Value row) {
      Value none = k.splat(k.real(0), schedule.featureRows, SW);
      k.store(k.matmul(k.subview(phi, row), state, none, program.headDim), into, row, k.mul(ofAll, SW),
              k.sub(rows, row));
    });
  });
}

void LinearKeysBuilder::finishRows() {
  Value ofRows = k.scratch(tileRows, F), normaliser = k.scratch(1, F), into = k.view(dk, k.mul(firstRow, F), F);
  transposeSums(k, schedule, products, rows, ofRows);
  k.store(k.splat(k.real(0), 1, F), normaliser, zero);
  eachHead([&](Value owner) {
    Value row = k.add(k.mul(owner, sides.stateRows), sides.stateRow(k, program, number));
    k.store(k.tileSum(k.load(normaliser, zero, 1, F), k.load(k.view(dZ, k.mul(row, F), F), zero, 1, F)), normaliser,
            zero);
  });
  k.loop(zero, rows, 1, [&](Value row) {
    Value ofFeatures = k.tileSum(k.load(ofRows, row, 1, F), k.load(normaliser, zero, 1, F));
    k.store(buildFeatureGradient(k, program, F, tokens, row, k.load(phi, row, 1, F), ofFeatures), into, row);
  });
}

void LinearKeysBuilder::build() {
  locate();
  Value kept = k.view(dk, k.mul(firstRow, F), block); // the sums over slices wait there for the next pass
  Value heads = k.loop(zero, sides.headsPerKV, 1, zero, [&](Value r, ValueRange carried) {
    Value owner = k.add(k.mul(k.item(1), sides.headsPerKV), r);
    Value has = k.select(sides.hasSet(k, program, owner, number), k.index(1), zero);
    return SmallVector<Value>{k.add(carried[0], has)};
  })[0];
  k.when(
      k.notEqual(heads, zero),
      [&] {
        phi = k.scratch(tileRows, F);
        products = k.scratch(F, tileRows);
        k.when(
            sides.isFirstPass(k), [&] { k.clearRows(products, zero, k.index(F), block); },
            [&] { k.copyRows(kept, products, k.index(F), block); });
        k.loop(zero, rows, 1, [&](Value row) { k.store(buildFeatureRow(k, program, F, tokens, row), phi, row); });
        addSlices();
        k.when(
            sides.isLastPass(k, schedule), [&] { finishRows(); },
            [&] { k.copyRows(products, kept, k.index(F), block); });
      },
      [&] {
        for (auto [gradient, width] : {std::pair{dk, F}, {dv, schedule.valueDim}})
          k.clearRows(k.view(gradient, k.mul(firstRow, width), width), zero, rows, width);
      });
  k.end();
}

} // namespace

void compiler::buildLinearKeys(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  LinearKeysBuilder(module, program, schedule).build();
}
