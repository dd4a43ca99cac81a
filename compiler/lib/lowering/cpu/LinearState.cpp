// Products that make and use states: see the header.
#include "LinearState.h"

#include <numeric>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

Value StatePlace::chunk(KernelBuilder &k, const CpuSchedule &schedule, Value slice, Value number) const {
  Value chunks = k.mul(k.add(k.mul(owner, slices), slice), schedule.chunks());
  Value at = k.add(k.mul(k.add(chunks, number), blocks), block);
  return k.view(states, k.mul(at, schedule.featureChunk * schedule.valueSlice), schedule.valueSlice);
}

// Chunk by chunk of features and slice by slice of values, and of a slice as many columns as lie together. Tiles of whole
// rows follow one another, so that a block's are one matrix.
void compiler::buildBlockState(KernelBuilder &k, const CpuSchedule &schedule, Value features, const PackedRows &values,
                               Value firstSlice, const StatePlace &to) {
  Value zero = k.index(0);
  bool wholeRows = schedule.valuePanel == schedule.valueDim;
  int64_t width = std::min(schedule.valueSlice, schedule.valuePanel), depth = wholeRows ? values.rows : values.tile;
  Value rows = k.view(values.packed, k.mul(values.firstTile, values.tile * schedule.valueDim), schedule.valuePanel);
  k.loop(zero, to.slices, 1, [&](Value slice) {
    k.loop(zero, k.index(schedule.valueSlice), width, [&](Value col) {
      Value column = k.add(k.mul(k.add(firstSlice, slice), schedule.valueSlice), col);
      Value ofColumn = k.subview(rows, zero, wholeRows ? column : k.mul(column, values.tile));
      k.loop(zero, k.index(schedule.chunks()), 1, [&](Value chunk) {
        Value product = k.splat(k.real(0), schedule.featureChunk, width);
        for (int64_t row = 0; row < values.rows; row += depth) {
          Value a = k.subview(features, k.index(row), k.mul(chunk, schedule.featureChunk));
          Value b = k.subview(ofColumn, zero, k.index(row * schedule.valueDim));
          product = k.matmul(a, b, product, depth, /*transposed=*/true);
        }
        k.store(product, to.chunk(k, schedule, slice, chunk), zero, col);
      });
    });
  });
}

void compiler::loadState(KernelBuilder &k, const CpuSchedule &schedule, const StatePlace &from, Value slice,
                         Value into) {
  Value zero = k.index(0);
  k.loop(zero, k.index(schedule.chunks()), 1, [&](Value chunk) {
    Value rows = from.chunk(k, schedule, slice, chunk);
    k.store(k.load(rows, zero, schedule.featureChunk, schedule.valueSlice), into, k.mul(chunk, schedule.featureChunk));
  });
}

// The last slice may have fewer columns of values than others: so much less deep is its product.
static void withDepth(KernelBuilder &k, const CpuSchedule &schedule, Value slice, int64_t values,
                      function_ref<void(int64_t)> body) {
  int64_t left = values % schedule.valueSlice;
  if (left == 0)
    return body(schedule.valueSlice);
  Value isWhole = k.less(slice, k.index(values / schedule.valueSlice));
  k.when(
      isWhole, [&] { body(schedule.valueSlice); }, [&] { body(left); });
}

void compiler::addSliceProduct(KernelBuilder &k, const CpuSchedule &schedule, Value left, int64_t rows, Value slice,
                               const PackedColumnsOfBlock &columns, Value sums) {
  Value zero = k.index(0);
  int64_t width = std::gcd(columns.panel, schedule.valueSlice), height = std::min(rows, schedule.featureChunk);
  k.loop(zero, k.index(columns.columns), width, [&](Value col) {
    Value tile = k.div(col, k.index(columns.tile)), inTile = k.rem(col, k.index(columns.tile));
    Value panel = k.div(inTile, k.index(columns.panel)), inPanel = k.rem(inTile, k.index(columns.panel));
    Value at = k.add(k.mul(k.add(columns.firstTile, tile), columns.depth * columns.tile),
                     k.mul(panel, columns.depth * columns.panel));
    Value ofPanel = k.subview(k.view(columns.packed, at, columns.panel), k.mul(slice, schedule.valueSlice), inPanel);
    withDepth(k, schedule, slice, columns.depth, [&](int64_t depth) {
      k.loop(zero, k.index(rows), height, [&](Value row) {
        Value sum = k.load(sums, row, height, width, col);
        k.store(k.matmul(k.subview(left, row), ofPanel, sum, depth), sums, row, col);
      });
    });
  });
}

// Times the identity of a register block: exact, and a small part of any product with features.
void compiler::transposeSums(KernelBuilder &k, const CpuSchedule &schedule, Value from, Value rows, Value into) {
  constexpr int64_t block = 16;
  Value zero = k.index(0), identity = k.scratch(block, block);
  k.loop(zero, k.index(block), 1, [&](Value i) {
    k.store(k.splat(k.real(0), 1, block), identity, i);
    k.store(k.splat(k.real(1), 1, 1), identity, i, i);
  });
  k.loop(zero, rows, schedule.featureRows, [&](Value row) {
    k.loop(zero, k.index(schedule.featureDim), block, [&](Value col) {
      Value none = k.splat(k.real(0), schedule.featureRows, block);
      k.store(k.matmul(k.subview(from, col, row), identity, none, block, /*transposed=*/true), into, row, col);
    });
  });
}
