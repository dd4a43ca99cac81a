// Means of marginal blocks as keys of the backward: a query has n_j e^s of block j's mean under the softmax of its tokens. What the
// passes over them sum is kept, and the passes over tokens go on from it. K and V of a mean are sums of planes (GpuProgram::meanPlanes).
#include "GradientWriter.h"

using namespace mlir;

namespace tercet::compiler {

void GradientWriter::addMeanArguments() {
  meanK = b.pointer(layout.element, "mean_k", "@mean_k_rows");
  meanV = b.pointer(layout.element, "mean_v", "@mean_v_rows");
  bits = b.pointer(b.builder.getI32Type(), "mean_bits", "@mean_bits");
  if (layout.planesX > 1)
    pairs = b.size("pairs", "G");
}

// Rows, or columns, are key blocks.
void GradientWriter::countMeans() {
  keyBlocks = b.make<arith::CeilDivUIOp>("key_blocks", keys, b.constant(program.blockK, "block_k"));
  Value live = b.make<arith::CeilDivUIOp>("live_blocks", liveKeys, b.constant(program.blockK, "block_k"));
  if (ofKeys) {
    rows = keyBlocks;
    liveRows = live;
  } else {
    liveCols = live;
  }
}

void GradientWriter::fillMeans(Value ringX, Value ringY, Value first, Value live) {
  auto fill = [&](Value ring, StringRef name, Value means, int64_t planes, int64_t cols) {
    for (int64_t plane = 0; plane < planes; ++plane)
      b.fill(ring, b.constant(plane), b.planeRows(name, means, plane, group, pairs, keyBlocks, cols), first, live);
  };
  fill(ringX, "mean_k_rows", meanK, layout.planesX, program.headDim);
  fill(ringY, "mean_v_rows", meanV, layout.planesY, program.valueDim);
}

// Few steps, with barriers around them instead of copies ahead.
void GradientWriter::visitMeans() {
  Value c0 = b.constant(int64_t{0});
  b.loop("t", steps, [&](Value step) {
    column = b.mul("first_mean", step, b.constant(schedule.getKeys(), "cols_per_step"));
    b.wait("read_by_all", rowsX, c0, 0); // a barrier: slots are free after it
    fillMeans(colsX, colsY, column, liveCols);
    auto tiles = [&](StringRef name, Value ring, int64_t planes, int64_t later) {
      SmallVector<Value> tiles;
      for (int64_t plane = 0; plane < planes; ++plane)
        tiles.push_back(b.wait(name, ring, b.constant(plane), later + planes - 1 - plane));
      return tiles;
    };
    visitTile(tiles("x_tile", colsX, layout.planesX, layout.planesY),
              [&] { return tiles("y_tile", colsY, layout.planesY, 0); });
  });
}

// log2 n_j of means that are marginal to a row of query blocks, -inf of others: by column, or where means are rows by row. The columns of
// a step are of one query block.
Value GradientWriter::meanWeights() {
  Value block = b.quotient("query_block", ofKeys ? column : row, b.constant(program.blockQ, "block_q"));
  Value blocks = b.make<arith::CeilDivUIOp>("query_blocks", queries, b.constant(program.blockQ, "block_q"));
  Value words = b.make<arith::CeilDivUIOp>("words", keyBlocks, b.constant(int64_t{64}));
  Value line = b.add("line", b.mul("first_line", member, blocks), block);
  Value at = b.mul("bits_at", line, b.mul("row_words", words, b.constant(int64_t{2})));
  int64_t height = schedule.getWorkerRows();
  if (ofKeys)
    return b.compute("weights", b.tile(height, 1), "row_weights", "mean_weights",
                     {b.integer(program.blockK), b.integer(height)}, {bits, at, row, liveKeys});
  Value none = b.make<tkern::SplatOp>("unweighed", b.tile(height, schedule.getKeys()), b.constant(0.0f));
  return b.compute("weights", none.getType(), "weigh_means", "mean_weights", {b.integer(program.blockK)},
                   {none, bits, at, column, liveKeys});
}

Value GradientWriter::meanSums(llvm::StringRef name, Value rowsOfOwner, int64_t cols) {
  Value first = b.mul((name + "_first").str(), ofKeys ? group : member, rowsOfOwner);
  return b.bufferRows((name + "_rows").str(), name.str(), first, cols);
}

void GradientWriter::eachMeanSum(llvm::function_ref<void(Value, StringRef, int64_t)> body) {
  if (sumX)
    body(sumX, ofKeys ? "mean_dk" : "mean_dq", layout.xCols);
  if (sumY)
    body(sumY, "mean_dv", layout.yCols);
  if (shares)
    body(shares, "mean_shares", 1);
}

// Sums of queries as they are, with those of P; of a mean what each of its tokens gets.
void GradientWriter::keepMeans() {
  Value c0 = b.constant(int64_t{0});
  eachMeanSum([&](Value sum, StringRef name, int64_t cols) {
    auto type = cast<tkern::TileType>(b.tile(schedule.getWorkerRows(), cols));
    Value tile = b.make<tkern::LoadOp>((name + "_sum").str(), type, sum, c0, c0, Value(), Value(), Value());
    if (ofKeys) {
      Value counts = b.compute("counts", b.tile(schedule.getWorkerRows(), 1), "row_counts", "mean_weights",
                               {b.integer(program.blockK), b.integer(schedule.getWorkerRows())}, {row, liveKeys});
      tile = b.map((name + "_share").str(), type, {tile, counts}, {"x", "n"},
                   [&](ValueRange x) -> Value { return b.make<arith::DivFOp>("of_token", x[0], x[1]); });
    }
    b.make<tkern::StoreOp>("", tile, meanSums(name, rows, cols), row, c0, liveRows, Value());
  });
}

// From rows of the workspace, of which `share` of the worker's have one in common.
void GradientWriter::startFrom(Value sum, StringRef name, Value rowsOfOwner, int64_t cols, int64_t share) {
  Value c0 = b.constant(int64_t{0});
  Value kept = b.compute((name + "_kept").str(), b.tile(schedule.getWorkerRows(), cols), "kept_rows", "kept_rows",
                         {b.integer(schedule.getWorkerRows()), b.integer(share)},
                         {meanSums(name, rowsOfOwner, cols), row, liveRows});
  b.make<tkern::StoreOp>("", kept, sum, c0, c0, Value(), Value());
}

void GradientWriter::startFromMeans() {
  Value ofOwner = queries;
  if (ofKeys)
    ofOwner = b.make<arith::CeilDivUIOp>("key_blocks", keys, b.constant(program.blockK, "block_k"));
  eachMeanSum([&](Value sum, StringRef name, int64_t cols) {
    startFrom(sum, name, ofOwner, cols, ofKeys ? program.blockK : 1);
  });
}

// Of means that are a stage of their own.
void GradientWriter::startShares() { startFrom(shares, "mean_shares", queries, 1, 1); }

} // namespace tercet::compiler
