// The rule of a window says what the mask does to the block's rows and a range of columns; PairIntervals bounds it.
#include "MaskedSteps.h"

#include "GpuRanges.h"

using namespace mlir;

namespace tercet::compiler {

static void buildRule(GpuPairScope &scope, const GpuProgram &program, const PairRegion &mask, const MaskedSteps &of,
                      tkern::StepWindowsOp windows) {
  GpuKernelBuilder &b = scope.builder();
  Block &rule = windows.getRule().emplaceBlock();
  Type i32 = b.builder.getI32Type(), index = b.builder.getIndexType();
  Value first = rule.addArgument(i32, b.at("first")), last = rule.addArgument(i32, b.at("last"));
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&rule);
  Value end = b.add("rows_end", of.firstRow, b.constant(of.blockRows, "block_rows"));
  Value lastRow = b.sub("last_row", b.make<arith::MinSIOp>("live_end", end, of.liveRows), b.constant(int64_t{1}));
  PairIntervals intervals(b.builder, mask, [&](ir::ReadOp read, ArrayRef<Bounds> indices) {
    return readRange(scope, program, read, indices);
  });
  Value none = b.constant(int64_t{0});
  if (scope.placesOfQueries)
    intervals.bind(of.rowArgument, none, b.sub("last_query", scope.liveRows, b.constant(int64_t{1})));
  else
    intervals.bind(of.rowArgument, of.firstRow, lastRow);
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
  auto windows = b.make<tkern::StepWindowsOp>("", of.cols, of.colsPerStep, of.listAt);
  buildRule(scope, program, mask, of, windows);
  Block &block = windows.getBody().emplaceBlock();
  Value window = block.addArgument(tkern::StepListType::get(b.builder.getContext()), b.at("window"));
  Value steps = block.addArgument(b.builder.getIndexType(), b.at("steps"));
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&block);
  body(window, steps);
}

} // namespace tercet::compiler
