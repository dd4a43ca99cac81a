// Regions over pairs in the attend kernel: scores and masks of a tile before its softmax, and the steps that a mask leaves
// where there are no classes.
#include "AttendParts.h"
#include "MaskedSteps.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace tercet::compiler {

// What depends on batch and head alone is computed once, before the loop.
void AttendParts::startPairs() {
  if (!stage.score && !stage.mask)
    return;
  Value ofBatch = scope.narrow("batch_index", batch), ofHead = scope.narrow("head_index", head);
  if (stage.score)
    scoreFactor = scope.scoreFactor(scale, program.defaultScale());
  scope.start(score, stage.score, 1, ofBatch, ofHead, arith::FastMathFlags::contract);
  scope.start(mask, stage.mask, 0, ofBatch, ofHead);
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

// Of rows that share a list. Where all of a worker's take the entry, none pays for it.
Value AttendParts::takenRows(Value scores, Value row, const StepKeys &step) {
  if (!step.entry)
    return scores;
  Type index = b.builder.getIndexType();
  Value half = b.remainder("half", b.quotient("word", row, b.constant(int64_t{32})), b.constant(int64_t{2}));
  Value at = b.add("takers_at", b.mul("entry_words", step.entry, b.constant(int64_t{2})), half);
  Value bits = b.make<tkern::ReadOp>("taken_by", index, takers, at);
  return b.compute("taken", scores.getType(), "rows_that_take", "row_lists", {}, {scores, bits, row});
}

void AttendParts::eachWindow(llvm::function_ref<void()> body) {
  MaskedSteps of{.col = "key",
                 .rowArgument = 2,
                 .colArgument = 3,
                 .firstRow = blockRow,
                 .liveRows = liveRows,
                 .blockRows = schedule.getBlockRows(),
                 .cols = keysOfRows,
                 .colsPerStep = schedule.getKeys(),
                 .listAt = layout.stepsAt};
  compiler::eachWindow(scope, program, *mask, of, [&](Value list, Value count) {
    window = list;
    steps = count;
    lastEntry = b.sub("last_entry", steps, b.constant(int64_t{1}));
    body();
  });
}

} // namespace tercet::compiler
