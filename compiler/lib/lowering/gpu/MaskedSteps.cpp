// The rule of a window says what the mask does to the block's rows and a range of columns; PairIntervals bounds it.
#include "MaskedSteps.h"

#include "GpuRanges.h"

using namespace mlir;

namespace tercet::compiler {

// The positions of the first row of the block and of the last one that is live. Under a token order they are of one block of
// places, whose tokens ascend; where none of its rows has a token, any answer will do.
static Bounds boundsOfRows(GpuPairScope &scope, const GpuProgram &program, const MaskedSteps &of) {
  GpuKernelBuilder &b = scope.builder();
  Value one = b.constant(int64_t{1}), end = b.add("rows_end", of.firstRow, b.constant(of.blockRows, "block_rows"));
  if (!scope.placesOfQueries)
    return {of.firstRow, b.sub("last_row", b.make<arith::MinSIOp>("live_end", end, of.liveRows), one)};
  Type index = b.builder.getIndexType();
  Value size = b.constant(program.blockQ, "block_q"), block = b.quotient("block_of_rows", of.firstRow, size);
  Value blocks = b.quotient("blocks_of_rows", scope.placesOfQueries, size);
  Value entry = scope.orderEntry("tokens_of_rows", "counts_q", scope.narrow("block_number", block), blocks);
  Value count = b.make<arith::IndexCastOp>("count_of_rows", index, entry);
  Value blockEnd = b.add("end_of_tokens", b.mul("first_of_block", block, size), count);
  Value last = b.sub("last_row", b.make<arith::MinSIOp>("live_end", end, blockEnd), one);
  auto position = [&](StringRef name, Value place) {
    return b.make<arith::IndexCastOp>(name, index, scope.position(scope.narrow("place", place), /*isKey=*/false));
  };
  return {position("first_query", of.firstRow), position("last_query", last)};
}

static void buildRule(GpuPairScope &scope, const GpuProgram &program, const PairRegion &mask, const MaskedSteps &of,
                      const Bounds &rows, tkern::StepWindowsOp windows) {
  GpuKernelBuilder &b = scope.builder();
  Block &rule = windows.getRule().emplaceBlock();
  Type i32 = b.builder.getI32Type(), index = b.builder.getIndexType();
  Value first = rule.addArgument(i32, b.at("first")), last = rule.addArgument(i32, b.at("last"));
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&rule);
  PairIntervals intervals(b.builder, mask, [&](ir::ReadOp read, ArrayRef<Bounds> indices) {
    return readRange(scope, program, read, indices);
  });
  intervals.bind(of.rowArgument, rows.low, rows.high);
  intervals.bind(of.colArgument, b.make<arith::IndexCastOp>(("first_" + of.col).str(), index, first),
                 b.make<arith::IndexCastOp>(("last_" + of.col).str(), index, last));
  Bounds allowed = intervals.result();
  Value all = b.make<arith::ConstantOp>("", b.builder.getBoolAttr(true));
  Value forbids = b.make<arith::XOrIOp>("forbids", allowed.low, all);
  b.make<tkern::AnswerOp>("", ValueRange{allowed.high, forbids});
}

void eachWindow(GpuPairScope &scope, const GpuProgram &program, const PairRegion &mask, const MaskedSteps &of,
                llvm::function_ref<void(Value window, Value steps)> body) {
  GpuKernelBuilder &b = scope.builder();
  Bounds rows = boundsOfRows(scope, program, of);
  auto windows = b.make<tkern::StepWindowsOp>("", of.cols, of.part, of.colsPerStep, of.listAt);
  buildRule(scope, program, mask, of, rows, windows);
  Block &block = windows.getBody().emplaceBlock();
  Value window = block.addArgument(tkern::StepListType::get(b.builder.getContext()), b.at("window"));
  Value steps = block.addArgument(b.builder.getIndexType(), b.at("steps"));
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&block);
  body(window, steps);
}

} // namespace tercet::compiler
