// The linear branch: states of key blocks, and phi(Q) times a row's aggregated state.
#include "BlockTokens.h"
#include "CpuKernels.h"
#include "FeatureMap.h"
#include "GradientTokens.h"
#include "KernelBuilder.h"
#include "LinearState.h"

#include <limits>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

void compiler::buildState(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  KernelBuilder k(module, "state");
  constexpr DType f32 = DType::f32, i32 = DType::i32;
  Value keys = k.pointer(program.dtype);
  Value strideB = k.integer(), strideH = k.integer(), strideN = k.integer();
  Value lengths = k.pointer(i32), headsKV = k.integer(), tokens = k.integer(), firstPair = k.integer();
  Value packedV = k.pointer(f32), tilesPerPair = k.integer(), h = k.pointer(f32), z = k.pointer(f32);
  Value blocks = k.integer(), slices = k.integer(), firstSlice = k.integer(), used = k.pointer(i32);
  BlockTokens where(k, program);

  int64_t F = schedule.featureDim;
  Value block = k.item(0), g = k.item(1), zero = k.index(0);
  Value pair = k.add(firstPair, g), batch = k.div(pair, headsKV), head = k.rem(pair, headsKV);
  where.startBatch(batch);
  Value valid = k.tokenCount(lengths, batch, tokens);
  Value firstToken = k.mul(block, schedule.blockK);
  Value rows = where.count(block, schedule.blockK, valid);

  // phi(K_j), zero beyond the valid tokens, and its column sums. Nothing where no row has a linear set.
  auto fill = [&] {
    Value phi = k.scratch(schedule.blockK, F), sums = k.scratch(1, F);
    Value tokensView =
        where.view(keys, k.add(k.mul(batch, strideB), k.mul(head, strideH)), firstToken, program.headDim, strideN);
    k.store(k.splat(k.real(0), 1, F), sums, zero);
    k.loop(zero, rows, 1, [&](Value row) {
      Value features = buildFeatureRow(k, program, F, tokensView, where.rowOf(firstToken, row));
      k.store(features, phi, row);
      k.store(k.tileSum(k.load(sums, zero, 1, F), features), sums, zero);
    });
    k.clearRows(phi, rows, k.index(schedule.blockK), F);
    Value zRow = k.view(z, k.mul(k.add(k.mul(g, blocks), block), F), F);
    k.store(k.load(sums, zero, 1, F), zRow, zero);

    // h_j = phi(K_j)^T V_j
    Value firstTile = k.add(k.mul(g, tilesPerPair), k.mul(block, schedule.blockK / schedule.keyTile));
    buildBlockState(k, schedule, phi, {packedV, firstTile, schedule.blockK, schedule.keyTile}, firstSlice,
                    {h, g, blocks, block, slices});
  };
  if (program.globalState())
    fill();
  else
    k.when(k.notEqual(k.read(used, g), zero), fill);
  k.end();
}

void compiler::buildLinear(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  KernelBuilder k(module, "linear");
  constexpr DType f32 = DType::f32, i32 = DType::i32;
  Value queries = k.pointer(program.dtype);
  Value strideB = k.integer(), strideH = k.integer(), strideN = k.integer();
  Value lengths = k.pointer(i32), headsKV = k.integer(), headsPerKV = k.integer(), tokens = k.integer();
  Value firstPair = k.integer(), H = k.pointer(f32), Z = k.pointer(f32), out = k.pointer(f32);
  Value blocks = k.integer(), passRows = k.integer(), firstRow = k.integer(), slices = k.integer(),
        firstSlice = k.integer(), eps = k.scalar();
  Value counts = k.pointer(i32);
  BlockTokens where(k, program);

  int64_t F = schedule.featureDim, SW = schedule.valueSlice;
  Value block = k.add(firstRow, k.item(0)), gr = k.item(1), zero = k.index(0);
  auto [g, batch, head] = QueryHead(k, gr, firstPair, headsKV, headsPerKV);
  where.startBatch(batch);
  Value valid = k.tokenCount(lengths, batch, tokens);
  Value firstToken = k.mul(block, schedule.blockQ);
  Value rows = where.count(block, schedule.blockQ, valid);
  Value owner = program.globalState() ? g : gr, stateRow = program.globalState() ? k.index(0) : k.item(0);

  auto fill = [&] {
    // phi(Q_i) and, per row, the denominator phi(q) . Z_i + eps; infinity in place of zero makes the quotient 0.
    int64_t rowTile = schedule.featureRows, computedRows = (schedule.blockQ + rowTile - 1) / rowTile * rowTile;
    Value phi = k.scratch(computedRows, F), denominators = k.scratch(computedRows, 1);
    Value tokensView =
        where.view(queries, k.add(k.mul(batch, strideB), k.mul(head, strideH)), firstToken, program.headDim, strideN);
    Value zRow = k.view(Z, k.mul(k.add(k.mul(owner, passRows), stateRow), F), F);
    k.loop(zero, rows, 1, [&](Value row) {
      Value features = buildFeatureRow(k, program, F, tokensView, where.rowOf(firstToken, row));
      k.store(features, phi, row);
      Value weighted = k.tileProduct(features, k.load(zRow, zero, 1, F));
      Value null = k.real(0), infinity = k.real(std::numeric_limits<float>::infinity());
      k.store(k.map({k.reduce(tkern::ReduceKind::Add, weighted)},
                    [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
                      Value denominator = body.create<arith::AddFOp>(loc, v[0], eps);
                      Value isZero = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, denominator, null);
                      return body.create<arith::SelectOp>(loc, isZero, infinity, denominator);
                    }),
              denominators, row);
    });

    Value stateRows = k.scratch(F, SW); // the row's chunks of H, side by side
    k.loop(zero, slices, 1, [&](Value slice) {
      loadState(k, schedule, {H, owner, passRows, stateRow, slices}, slice, stateRows);
      Value outRow = k.add(k.mul(gr, k.mul(blocks, schedule.blockQ)), firstToken);
      Value target =
          k.view(out, k.add(k.mul(outRow, schedule.valueDim), k.mul(k.add(firstSlice, slice), SW)), schedule.valueDim);
      k.loop(zero, rows, rowTile, [&](Value row) {
        Value product = k.matmul(k.subview(phi, row), stateRows, k.splat(k.real(0), rowTile, SW), program.headDim);
        k.store(k.tileQuotient(product, k.load(denominators, row, rowTile, 1)), target, row, {}, k.sub(rows, row));
      });
    });
  };
  if (program.globalState())
    fill();
  else
    k.when(k.notEqual(k.read(counts, k.add(k.mul(gr, blocks), block)), zero), fill);
  k.end();
}
