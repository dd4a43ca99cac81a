// The linear branch's backward by query blocks: dphi(Q), and the states that keys sum.
#include "CpuKernels.h"
#include "FeatureMap.h"
#include "GradientTokens.h"
#include "LinearSides.h"
#include "LinearState.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {

/// A query block of a query head.
struct QueryBlock {
  QueryBlock(KernelBuilder &k, const Program &program, const CpuSchedule &schedule, const GradientTokens &q,
             const LinearSides &sides)
      : block(k.item(0)), owner(k.item(1)) {
    QueryHead at(k, owner, sides.firstPair, sides.headsKV, sides.headsPerKV);
    group = at.group;
    Value first = k.mul(block, schedule.queries.packed), size = k.index(schedule.queries.packed);
    Value left = k.sub(k.tokenCount(sides.lengths, at.batch, sides.tokens), first);
    rows = k.max(k.min(left, size), k.index(0));
    tokens = q.rows(k, at.batch, at.head, first, program.headDim);
    place = k.add(k.mul(owner, sides.blocks), block);
    firstRow = k.mul(place, schedule.queries.packed);
  }
  Value block, owner, group;
  Value rows;     ///< valid ones
  Value tokens;   ///< view of them
  Value place;    ///< of the block among the group's
  Value firstRow; ///< among the group's rows
};

Value dot(KernelBuilder &k, Value a, Value b) { return k.reduce(tkern::ReduceKind::Add, k.tileProduct(a, b)); }

class LinearQueriesBuilder {
public:
  LinearQueriesBuilder(ModuleOp module, const Program &program, const CpuSchedule &schedule)
      : program(program), schedule(schedule), k(module, "linear_queries"), q(k, program.dtype), sides(k),
        at(k, program, schedule, q, sides), zero(k.index(0)) {
    for (Value *slot : {&H, &Z})
      *slot = k.pointer(DType::f32);
    eps = k.scalar();
    packedGradient = k.pointer(DType::f32);
    for (Value *slot : {&means, &inverses, &sums, &gradient, &output, &dw})
      *slot = k.pointer(DType::f32);
    tileRows = (block + schedule.featureRows - 1) / schedule.featureRows * schedule.featureRows;
  }
  void build();

private:
  void clearOutput(Value from);
  void startSums();
  void keepSums();
  void fillFeatures();
  void addSlices();
  void finishRows();
  Value outputRows() { return k.view(output, k.mul(at.firstRow, schedule.valueDim), schedule.valueDim); }

  const Program &program;
  const CpuSchedule &schedule;
  KernelBuilder k;
  GradientTokens q;
  LinearSides sides;
  QueryBlock at;
  Value H, Z, eps, packedGradient, means, inverses, sums, gradient, output, dw;
  Value zero, zRow, phi, inverse, products;
  Value meanRow; ///< the mean that values are taken less, and of every query
  Value kept, keptOfMean;
  Value ofMean;   ///< dO_l times that mean
  Value fraction; ///< and phi(q) . Z_i / den
  int64_t block = schedule.queries.packed, F = schedule.featureDim, SW = schedule.valueSlice, tileRows;
};

// phi(Q_i), and 1 / (phi(q) . Z_i + eps), 0 where that is 0: such a row gets nothing and gives nothing.
void LinearQueriesBuilder::fillFeatures() {
  Value null = k.real(0), one = k.real(1);
  k.loop(zero, at.rows, 1, [&](Value row) {
    Value features = buildFeatureRow(k, program, F, at.tokens, row);
    k.store(features, phi, row);
    Value sum = dot(k, features, k.load(zRow, zero, 1, F));
    Value quotient = k.map({sum}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
      Value denominator = body.create<arith::AddFOp>(loc, v[0], eps);
      Value isZero = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, denominator, null);
      Value inverted = body.create<arith::DivFOp>(loc, one, denominator);
      return body.create<arith::SelectOp>(loc, isZero, null, inverted);
    });
    k.store(quotient, inverse, row);
    k.store(k.tileProduct(sum, quotient), fraction, row);
  });
}

// O_l of these slices, where it is wanted, and their share of (dO_l H_i^T)^T = H_i dO_l^T.
void LinearQueriesBuilder::addSlices() {
  const GradientSide &side = schedule.queries;
  Value state = k.scratch(F, SW), perHead = k.mul(sides.blocks, block / side.tile);
  Value firstTile = k.add(k.mul(at.owner, perHead), k.mul(at.block, block / side.tile));
  PackedColumnsOfBlock columns{packedGradient, firstTile, program.valueDim,
                               block,          side.tile, schedule.inPanels ? schedule.keyPanel : side.tile};
  StatePlace from{H, program.globalState() ? at.group : at.owner, sides.stateRows, sides.stateRow(k, program, at.block),
                  sides.slices};
  k.loop(zero, sides.slices, 1, [&](Value slice) {
    Value number = k.add(sides.firstSlice, slice), mean = k.subview(meanRow, zero, k.mul(number, SW));
    loadState(k, schedule, from, slice, state);
    addSliceProduct(k, schedule, state, F, number, columns, products);
    addSliceProduct(k, schedule, mean, 1, number, columns, ofMean);
    k.when(k.negate(k.isNull(dw)), [&] {
      k.loop(zero, at.rows, schedule.featureRows, [&](Value row) {
        int64_t rows = schedule.featureRows;
        Value product = k.matmul(k.subview(phi, row), state, k.splat(k.real(0), rows, SW), program.headDim);
        SmallVector<Value> inputs{product, k.load(inverse, row, rows, 1), k.load(mean, zero, 1, SW),
                                  k.load(fraction, row, rows, 1)};
        Value tile = k.map(inputs, [](OpBuilder &body, Location loc, ValueRange v) -> Value {
          Value ofMean = body.create<arith::MulFOp>(loc, v[2], v[3]);
          return body.create<arith::AddFOp>(loc, body.create<arith::MulFOp>(loc, v[0], v[1]).getResult(), ofMean);
        });
        k.store(tile, outputRows(), row, k.mul(number, SW), k.sub(at.rows, row));
      });
    });
  });
}

// g = dO_l H_i^T becomes J_phi^T (g - D_l Z_i) / den, with D_l = phi(q) . g / den. H_i is of values less a mean m: g then lacks
// dO_l m Z_i, and D_l lacks dO_l m phi(q) . Z_i / den, which is less only by the share of eps. Products become rows in place.
void LinearQueriesBuilder::finishRows() {
  Value rows = k.scratch(tileRows, F);
  transposeSums(k, schedule, products, at.rows, rows);
  Value into = k.view(gradient, k.mul(at.firstRow, F), F), ofRows = k.view(inverses, at.firstRow, 1),
        sumOfRows = k.view(sums, at.firstRow, 1);
  k.loop(zero, at.rows, 1, [&](Value row) {
    Value features = k.load(phi, row, 1, F), g = k.load(rows, row, 1, F), scale = k.load(inverse, row, 1, 1);
    SmallVector<Value> ofSum{dot(k, features, g), k.load(ofMean, zero, 1, 1, row), scale};
    Value sum = k.map(ofSum, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
      Value less = body.create<arith::SubFOp>(loc, v[0], body.create<arith::MulFOp>(loc, v[1], eps).getResult());
      return body.create<arith::MulFOp>(loc, less, v[2]);
    });
    SmallVector<Value> ofRow{g, sum, k.load(zRow, zero, 1, F), scale};
    Value ofFeatures = k.map(ofRow, [](OpBuilder &body, Location loc, ValueRange v) -> Value {
      Value rest = body.create<arith::SubFOp>(loc, v[0], body.create<arith::MulFOp>(loc, v[1], v[2]).getResult());
      return body.create<arith::MulFOp>(loc, rest, v[3]);
    });
    k.store(scale, ofRows, row);
    k.store(sum, sumOfRows, row);
    k.store(buildFeatureGradient(k, program, F, at.tokens, row, features, ofFeatures), into, row);
  });
}

void LinearQueriesBuilder::clearOutput(Value from) {
  k.when(k.negate(k.isNull(dw)), [&] { k.clearRows(outputRows(), from, k.index(block), schedule.valueDim); });
}

// What the passes before have summed, or 0; it waits in the block's rows of the gradient, which are as large, and in its sums.
void LinearQueriesBuilder::startSums() {
  k.when(
      sides.isFirstPass(k),
      [&] {
        k.clearRows(products, zero, k.index(F), block);
        k.store(k.splat(k.real(0), 1, block), ofMean, zero);
      },
      [&] {
        k.copyRows(kept, products, k.index(F), block);
        k.store(k.load(keptOfMean, zero, 1, block), ofMean, zero);
      });
}

void LinearQueriesBuilder::keepSums() {
  k.copyRows(products, kept, k.index(F), block);
  k.store(k.load(ofMean, zero, 1, block), keptOfMean, zero);
}

void LinearQueriesBuilder::build() {
  Value owner = program.globalState() ? at.group : at.owner;
  zRow = k.view(Z, k.mul(k.add(k.mul(owner, sides.stateRows), sides.stateRow(k, program, at.block)), F), F);
  meanRow = k.view(means, k.mul(at.group, schedule.valueDim), schedule.valueDim);
  kept = k.view(gradient, k.mul(at.firstRow, F), block);
  keptOfMean = k.view(sums, at.firstRow, block);
  k.when(
      sides.hasSet(k, program, at.owner, at.block),
      [&] {
        phi = k.scratch(tileRows, F);
        inverse = k.scratch(tileRows, 1);
        fraction = k.scratch(tileRows, 1);
        products = k.scratch(F, tileRows);
        ofMean = k.scratch(1, tileRows);
        startSums();
        fillFeatures();
        addSlices();
        k.when(
            sides.isLastPass(k, schedule), [&] { finishRows(); }, [&] { keepSums(); });
        k.when(sides.isFirstPass(k), [&] { clearOutput(at.rows); });
      },
      [&] {
        k.clearRows(k.view(gradient, k.mul(at.firstRow, F), F), zero, at.rows, F);
        k.when(sides.isFirstPass(k), [&] { clearOutput(zero); });
      });
  k.end();
}

} // namespace

void compiler::buildLinearQueries(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  LinearQueriesBuilder(module, program, schedule).build();
}

// dh_i = (phi(Q_i) / den)^T dO_l and dz_i = -(phi(Q_i) / den)^T D_l.
void compiler::buildStateGradient(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  KernelBuilder k(module, "state_gradient");
  GradientTokens q(k, program.dtype);
  LinearSides sides(k);
  QueryBlock at(k, program, schedule, q, sides);
  Value inverses = k.pointer(DType::f32), sums = k.pointer(DType::f32), packed = k.pointer(DType::f32),
        dh = k.pointer(DType::f32), dz = k.pointer(DType::f32);
  const GradientSide &side = schedule.queries;
  int64_t F = schedule.featureDim;
  Value zero = k.index(0);
  k.when(sides.hasSet(k, program, at.owner, at.block), [&] {
    Value quotients = k.scratch(side.packed, F), total = k.scratch(1, F);
    Value ofRows = k.view(inverses, at.firstRow, 1), sumOfRows = k.view(sums, at.firstRow, 1);
    k.store(k.splat(k.real(0), 1, F), total, zero);
    k.loop(zero, at.rows, 1, [&](Value row) {
      Value quotient = k.tileProduct(buildFeatureRow(k, program, F, at.tokens, row), k.load(ofRows, row, 1, 1));
      k.store(quotient, quotients, row);
      k.store(k.map({k.load(total, zero, 1, F), quotient, k.load(sumOfRows, row, 1, 1)},
                    [](OpBuilder &body, Location loc, ValueRange v) -> Value {
                      return body.create<arith::SubFOp>(loc, v[0],
                                                        body.create<arith::MulFOp>(loc, v[1], v[2]).getResult());
                    }),
              total, zero);
    });
    k.clearRows(quotients, at.rows, k.index(side.packed), F);
    k.store(k.load(total, zero, 1, F), k.view(dz, k.mul(at.place, F), F), zero);
    Value perHead = k.mul(sides.blocks, side.packed / side.tile);
    Value firstTile = k.add(k.mul(at.owner, perHead), k.mul(at.block, side.packed / side.tile));
    buildBlockState(k, schedule, quotients, {packed, firstTile, side.packed, side.tile}, sides.firstSlice,
                    {dh, at.owner, sides.blocks, at.block, sides.slices});
  });
  k.end();
}
