// Regions over pairs in the attend kernel: scores and masks of a tile before its softmax, and the steps that a mask leaves
// where there are no classes.
#include "AttendParts.h"
#include "GpuRanges.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace tercet::compiler {

// What depends on batch and head alone is computed once, before the loop.
void AttendParts::startPairs() {
  if (!stage.score && !stage.mask)
    return;
  Value ofBatch = scope.narrow("batch_index", batch), ofHead = scope.narrow("head_index", head);
  if (stage.score) {
    scoreFactor = scale ? b.make<arith::TruncFOp>("score_scale", b.builder.getF32Type(), scale).getResult()
                        : b.constant(static_cast<float>(program.defaultScale()), "score_scale");
    score.emplace(*stage.score, scope, arith::FastMathFlags::contract);
    score->bind(1, ofBatch);
    score->bind(2, ofHead);
    score->clone(b.builder);
  }
  if (stage.mask) {
    mask.emplace(*stage.mask, scope);
    mask->bind(0, ofBatch);
    mask->bind(1, ofHead);
    mask->clone(b.builder);
  }
}

Value AttendParts::scoredPairs(Value scores, Value row, Value key) {
  if (!score)
    return scores;
  return b.mapPairs("scored", scores, row, key, [&](ValueRange x) {
    score->bind(0, b.make<arith::MulFOp>("score", x[0], scoreFactor, arith::FastMathFlags::contract));
    score->bind(3, scope.position(x[1], /*isKey=*/false));
    score->bind(4, scope.position(x[2], /*isKey=*/true));
    score->clone(b.builder);
    return score->result();
  });
}

// Only tiles in which the mask may forbid a pair pay for it.
Value AttendParts::allowedPairs(Value scores, Value row, const StepKeys &step) {
  if (!mask)
    return scores;
  Value lowest = b.constant(-std::numeric_limits<float>::infinity());
  return b.choose(
      "allowed", step.partial,
      [&] {
        return b.mapPairs("of_allowed", scores, row, step.first, [&](ValueRange x) -> Value {
          mask->bind(2, scope.position(x[1], /*isKey=*/false));
          mask->bind(3, scope.position(x[2], /*isKey=*/true));
          mask->clone(b.builder);
          return b.make<arith::SelectOp>("kept", mask->result(), x[0], lowest);
        });
      },
      [&] { return scores; });
}

// What the mask does to the block's rows and a range of keys. Under a token order the queries of a row may be any.
void AttendParts::ruleOfKeys(tkern::StepWindowsOp windows) {
  Block &rule = windows.getRule().emplaceBlock();
  Type i32 = b.builder.getI32Type(), index = b.builder.getIndexType();
  Value first = rule.addArgument(i32, b.at("first")), last = rule.addArgument(i32, b.at("last"));
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&rule);
  Value end = b.add("rows_end", blockRow, b.constant(schedule.getBlockRows(), "block_rows"));
  Value lastRow = b.sub("last_row", b.make<arith::MinSIOp>("live_end", end, liveRows), b.constant(int64_t{1}));
  PairIntervals intervals(b.builder, *mask, [&](ir::ReadOp read, ArrayRef<Bounds> indices) {
    return readRange(scope, program, read, indices);
  });
  Value none = b.constant(int64_t{0});
  if (scope.placesOfQueries)
    intervals.bind(2, none, b.sub("last_query", scope.liveRows, b.constant(int64_t{1})));
  else
    intervals.bind(2, blockRow, lastRow);
  intervals.bind(3, b.make<arith::IndexCastOp>("first_key", index, first),
                 b.make<arith::IndexCastOp>("last_key", index, last));
  Bounds allowed = intervals.result();
  Value all = b.make<arith::ConstantOp>("", b.builder.getBoolAttr(true));
  Value forbids = b.make<arith::XOrIOp>("forbids", allowed.low, all);
  b.make<tkern::AnswerOp>("", ValueRange{allowed.high, forbids});
}

void AttendParts::eachWindow(llvm::function_ref<void()> body) {
  if (!program.listsSteps(stage))
    return body();
  auto windows = b.make<tkern::StepWindowsOp>("", keysOfRows, schedule.getKeys(), layout.stepsAt);
  ruleOfKeys(windows);
  Block &block = windows.getBody().emplaceBlock();
  window = block.addArgument(tkern::StepListType::get(b.builder.getContext()), b.at("window"));
  steps = block.addArgument(b.builder.getIndexType(), b.at("steps"));
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&block);
  lastEntry = b.sub("last_entry", steps, b.constant(int64_t{1}));
  body();
}

} // namespace tercet::compiler
