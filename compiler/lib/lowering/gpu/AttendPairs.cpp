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
