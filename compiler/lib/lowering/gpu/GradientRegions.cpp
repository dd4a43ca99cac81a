// Masks and score regions in a gradient kernel. Regions see queries and keys, whichever of them are rows.
#include "GradientWriter.h"
#include "MaskedSteps.h"

#include <limits>

using namespace mlir;

namespace tercet::compiler {

// What depends on batch and head alone is computed once per head.
void GradientWriter::startRegions() {
  if (!stage.score && !stage.mask)
    return;
  Value ofBatch = scope.narrow("batch_index", batch), ofHead = scope.narrow("head_index", head);
  scope.start(mask, stage.mask, 0, ofBatch, ofHead);
  if (!stage.score || kernel.makes != GradientKernel::Makes::gradients)
    return;
  scoreFactor = scope.scoreFactor(scale, program.defaultScale());
  scope.start(score, stage.score, 1, ofBatch, ofHead, arith::FastMathFlags::contract);
  if (table)
    startTable(ofBatch, ofHead);
  if (kernel.ofX)
    scope.start(slope, kernel.pass->slope.get(), 1, ofBatch, ofHead, arith::FastMathFlags::contract);
}

void GradientWriter::bindPair(PairRegion &region, unsigned first, ValueRange pair) {
  region.bind(first, pair[ofKeys ? 1 : 0]);
  region.bind(first + 1, pair[ofKeys ? 0 : 1]);
  region.clone(b.builder);
}

Value GradientWriter::mappedPairs(StringRef name, PairRegion &region, Value products) {
  return b.mapPairs(name, products, row, column, [&](ValueRange x) {
    region.bind(0, b.make<arith::MulFOp>("score", x[0], scoreFactor, arith::FastMathFlags::contract));
    bindPair(region, 3, x.drop_front());
    return region.result();
  });
}

// Only tiles in which the mask may forbid a pair pay for it.
Value GradientWriter::allowedPairs(Value scores) {
  if (!mask)
    return scores;
  Value lowest = b.constant(-std::numeric_limits<float>::infinity());
  return b.choose(
      "allowed", partial,
      [&] {
        return b.mapPairs("of_allowed", scores, row, column, [&](ValueRange x) -> Value {
          bindPair(*mask, 2, x.drop_front());
          return b.make<arith::SelectOp>("kept", mask->result(), x[0], lowest);
        });
      },
      [&] { return scores; });
}

// Of queries that share a list. Where all of a tile's take the entry, none pays for it.
Value GradientWriter::takenPairs(Value scores) {
  if (!takers)
    return scores;
  Value at = b.mul("entry_words", entryAt, b.constant(int64_t{2}));
  if (ofKeys)
    return b.compute("taken", scores.getType(), "columns_that_take", "row_lists", {}, {scores, takers, at, column});
  Value half = b.remainder("half", b.quotient("word", row, b.constant(int64_t{32})), b.constant(int64_t{2}));
  Value bits = b.make<tkern::ReadOp>("taken_by", b.builder.getIndexType(), takers, b.add("takers_at", at, half));
  return b.compute("taken", scores.getType(), "rows_that_take", "row_lists", {}, {scores, bits, row});
}

// Where P is 0, the product is, whatever the derivative of the region there.
Value GradientWriter::timesDerivative(StringRef name, Value ofScores, Value p, Value derivatives) {
  return b.map(name, cast<tkern::TileType>(p.getType()), {ofScores, p, derivatives}, {"g", "x", "y"},
               [&](ValueRange x) -> Value {
                 Value zero = b.constant(0.0f);
                 Value counts = b.make<arith::CmpFOp>("counts", arith::CmpFPredicate::UNE, x[1], zero);
                 Value times = b.make<arith::MulFOp>("times_slope", x[0], x[2], arith::FastMathFlags::contract);
                 return b.make<arith::SelectOp>("of_product", counts, times, zero);
               });
}

Value GradientWriter::throughRegion(Value ofScores, Value p, Value products) {
  return timesDerivative("d_products", ofScores, p, mappedPairs("slopes", *slope, products));
}

void GradientWriter::eachWindow(llvm::function_ref<void()> body) {
  if (!program.listsSteps(stage))
    return body();
  MaskedSteps of{.col = "col",
                 .rowArgument = ofKeys ? 3u : 2u,
                 .colArgument = ofKeys ? 2u : 3u,
                 .firstRow = firstRow,
                 .liveRows = liveRows,
                 .blockRows = schedule.getBlockRows(),
                 .cols = colsOfRows,
                 .colsPerStep = schedule.getKeys(),
                 .listAt = layout.stepsAt,
                 .part = partOfSteps()};
  compiler::eachWindow(scope, program, *mask, of, [&](Value list, Value count) {
    window = list;
    steps = count;
    body();
  });
}

} // namespace tercet::compiler
