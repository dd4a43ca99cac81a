// The projection's backward: dO_l = dO W, dW = dO^T O_l, db = the sum of the rows of dO.
#include "CpuKernels.h"
#include "GradientTokens.h"
#include "KernelBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

void compiler::buildProjectGradient(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  KernelBuilder k(module, "project_gradient");
  constexpr int64_t itemRows = 64;
  GradientTokens gradient(k, program.dtype);
  Value lengths = k.pointer(DType::i32);
  Value headsKV = k.integer(), headsPerKV = k.integer(), tokens = k.integer(), firstPair = k.integer();
  Value w = k.pointer(DType::f32), packedW = k.pointer(DType::f32), out = k.pointer(DType::f32);
  int64_t width = schedule.valueDim, tile = schedule.featureRows;
  int64_t tileRows = (itemRows + tile - 1) / tile * tile;

  Value zero = k.index(0), owner = k.item(1), first = k.mul(k.item(0), itemRows);
  auto [group, batch, head] = QueryHead(k, owner, firstPair, headsKV, headsPerKV);
  Value present = k.min(k.sub(tokens, first), k.index(itemRows));
  Value valid = k.max(k.min(k.sub(k.tokenCount(lengths, batch, tokens), first), k.index(itemRows)), zero);
  Value from = gradient.rows(k, batch, head, first, program.valueDim), rows = k.scratch(tileRows, width);
  Value cols = width == program.valueDim ? Value() : k.index(program.valueDim);
  Value into = k.view(out, k.mul(k.add(k.mul(owner, tokens), first), program.valueDim), program.valueDim);

  k.loop(zero, valid, 1, [&](Value row) { k.store(k.load(from, row, 1, width, {}, {}, cols), rows, row); });
  k.clearRows(rows, valid, present, width);
  k.when(
      k.isNull(w),
      [&] {
        k.loop(zero, present, 1, [&](Value row) { k.store(k.load(rows, row, 1, width), into, row, {}, {}, cols); });
      },
      [&] {
        Value weights = k.view(packedW, zero, width);
        k.loop(zero, present, tile, [&](Value row) {
          for (int64_t col = 0; col < width; col += schedule.valueSlice) {
            Value product = k.matmul(k.subview(rows, row), k.subview(weights, zero, k.index(col)),
                                     k.splat(k.real(0), tile, schedule.valueSlice), program.valueDim);
            Value left = cols ? k.index(program.valueDim - col) : Value();
            k.store(product, into, row, k.index(col), k.sub(present, row), left);
          }
        });
      });
  k.end();
}

void compiler::buildWeightGradient(ModuleOp module, const Program &program, const CpuSchedule &schedule) {
  KernelBuilder k(module, "weight_gradient");
  constexpr int64_t height = 4; // divides every panel
  Value packed = k.pointer(DType::f32), output = k.pointer(DType::f32), blocks = k.integer(), owners = k.integer();
  Value firstPair = k.integer(), dw = k.pointer(DType::f32), strideW = k.integer(), db = k.pointer(DType::f32);

  const GradientSide &side = schedule.queries;
  int64_t padded = CpuSchedule::padded(program.valueDim), panel = schedule.plainPanel(padded);
  int64_t width = schedule.valueDim, slice = schedule.valueSlice;
  Value zero = k.index(0), row = k.mul(k.item(0), height), isFirst = k.equal(firstPair, zero);
  Value left = k.sub(k.index(program.valueDim), row);
  Value tiles = k.mul(k.mul(blocks, side.packed / side.tile), owners);
  // Columns row .. row + height of a tile of dO.
  auto ofTile = [&](Value tile) {
    Value inPanel = k.rem(row, k.index(panel)), at = k.mul(k.div(row, k.index(panel)), panel * side.tile);
    return k.subview(k.view(packed, k.add(k.mul(tile, side.tile * padded), at), panel), zero, inPanel);
  };

  k.when(k.negate(k.isNull(dw)), [&] {
    Value total = k.scratch(height, width), into = k.view(dw, k.mul(row, strideW), program.valueDim, strideW);
    Value cols = width == program.valueDim ? Value() : k.index(program.valueDim);
    k.when(
        isFirst, [&] { k.store(k.splat(k.real(0), height, width), total, zero); },
        [&] { k.store(k.load(into, zero, height, width, {}, left, cols), total, zero); });
    k.loop(zero, tiles, 1, [&](Value tile) {
      Value gradient = ofTile(tile), rows = k.view(output, k.mul(tile, side.tile * width), width);
      for (int64_t col = 0; col < width; col += slice) {
        Value product = k.matmul(gradient, k.subview(rows, zero, k.index(col)), k.splat(k.real(0), height, slice),
                                 side.tile, /*transposed=*/true);
        k.store(k.tileSum(k.load(total, zero, height, slice, k.index(col)), product), total, zero, k.index(col));
      }
    });
    k.store(k.load(total, zero, height, width), into, zero, {}, left, cols);
  });
  k.when(k.negate(k.isNull(db)), [&] {
    Value into = k.view(db, row, program.valueDim), total = k.scratch(1, height);
    k.when(
        isFirst, [&] { k.store(k.splat(k.real(0), 1, height), total, zero); },
        [&] { k.store(k.load(into, zero, 1, height, {}, {}, left), total, zero); });
    k.loop(zero, tiles, 1, [&](Value tile) {
      Value gradient = ofTile(tile);
      Value share = k.loop(zero, k.index(side.tile), 1, k.splat(k.real(0), 1, height), [&](Value at, ValueRange c) {
        return SmallVector<Value>{k.tileSum(c[0], k.load(gradient, at, 1, height))};
      })[0];
      k.store(k.tileSum(k.load(total, zero, 1, height), share), total, zero);
    });
    k.store(k.load(total, zero, 1, height), into, zero, {}, {}, left);
  });
  k.end();
}
