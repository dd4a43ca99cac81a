// Block scores: mean queries times mean keys, or groups of queries times groups of keys, a chunk of rows at a time.
#include "CpuKernels.h"
#include "KernelBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

void compiler::buildScores(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  constexpr int64_t meanTile = 64; // tercet/Builtins.h: columns of a mean tile
  KernelBuilder k(module, "scores");
  constexpr DType f32 = DType::f32;
  Value queries = k.pointer(f32), keys = k.pointer(f32), out = k.pointer(f32);
  Value rows = k.integer(), tiles = k.integer(), scale = k.scalar();

  Value zero = k.index(0);
  Value outCols = k.mul(tiles, meanTile);
  // A sampled row holds the tokens of a group one behind the other.
  int64_t depth = program.headDim * std::max<int64_t>(1, program.selection->stride);
  Value a = k.view(queries, zero, depth);
  Value scores = k.view(out, zero, meanTile, outCols);
  Value whole = k.mul(k.div(rows, k.index(schedule.rowTile)), schedule.rowTile);
  int64_t width = schedule.inPanels ? schedule.keyPanel : meanTile;
  auto tile = [&](Value b, Value row, Value col, int64_t tileRows) {
    Value product = k.matmul(k.subview(a, row), b, k.splat(k.real(0), tileRows, width), depth);
    Value scaled = k.map({product}, [&](OpBuilder &body, Location loc, ValueRange x) -> Value {
      return body.create<arith::MulFOp>(loc, x[0], scale);
    });
    k.store(scaled, scores, row, col);
  };
  k.loop(zero, tiles, 1, [&](Value t) {
    Value means = k.view(keys, k.mul(t, depth * meanTile), meanTile);
    k.loop(zero, k.index(meanTile), width, [&](Value part) {
      Value b = k.subview(means, zero, part), col = k.add(k.mul(t, meanTile), part);
      k.loop(zero, whole, schedule.rowTile, [&](Value row) { tile(b, row, col, schedule.rowTile); });
      k.loop(whole, rows, 1, [&](Value row) { tile(b, row, col, 1); });
    });
  });
  k.end();
}
