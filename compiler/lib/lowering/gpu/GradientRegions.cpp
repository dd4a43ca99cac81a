// Masks and score regions in a gradient kernel. Regions see queries and keys, whichever of them are rows.
#include "GpuRanges.h"
#include "GradientWriter.h"

#include <limits>

using namespace mlir;

namespace tercet::compiler {

// What depends on batch and head alone is computed once per head.
void GradientWriter::startRegions() {
  if (!stage.score && !stage.mask)
    return;
  Value ofBatch = scope.narrow("batch_index", batch), ofHead = scope.narrow("head_index", head);
  auto start = [&](std::optional<PairRegion> &region, Region *body, unsigned first, arith::FastMathFlags flags) {
    region.reset();
    if (!body)
      return;
    region.emplace(*body, scope, flags);
    region->bind(first, ofBatch);
    region->bind(first + 1, ofHead);
    region->clone(b.builder);
  };
  start(mask, stage.mask, 0, {});
  if (!stage.score)
    return;
  scoreFactor = scale ? b.make<arith::TruncFOp>("score_scale", b.builder.getF32Type(), scale).getResult()
                      : b.constant(static_cast<float>(program.defaultScale()), "score_scale");
  start(score, stage.score, 1, arith::FastMathFlags::contract);
  if (kernel.ofX)
    start(slope, kernel.pass->slope.get(), 1, arith::FastMathFlags::contract);
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

// Where P is 0, dS is, whatever the slope of the region there.
Value GradientWriter::throughRegion(Value ofScores, Value p, Value products) {
  auto type = cast<tkern::TileType>(p.getType());
  return b.map("d_products", type, {ofScores, p, mappedPairs("slopes", *slope, products)}, {"g", "x", "y"},
               [&](ValueRange x) -> Value {
                 Value zero = b.constant(0.0f);
                 Value counts = b.make<arith::CmpFOp>("counts", arith::CmpFPredicate::UNE, x[1], zero);
                 Value times = b.make<arith::MulFOp>("times_slope", x[0], x[2], arith::FastMathFlags::contract);
                 return b.make<arith::SelectOp>("of_product", counts, times, zero);
               });
}

// What the mask does to the block's rows and a range of columns.
void GradientWriter::ruleOfColumns(tkern::StepWindowsOp windows) {
  Block &rule = windows.getRule().emplaceBlock();
  Type i32 = b.builder.getI32Type(), index = b.builder.getIndexType();
  Value first = rule.addArgument(i32, b.at("first")), last = rule.addArgument(i32, b.at("last"));
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&rule);
  Value end = b.add("rows_end", firstRow, b.constant(schedule.getBlockRows(), "block_rows"));
  Value lastRow = b.sub("last_row", b.make<arith::MinSIOp>("live_end", end, liveRows), b.constant(int64_t{1}));
  PairIntervals intervals(b.builder, *mask, [&](ir::ReadOp read, ArrayRef<Bounds> indices) {
    return readRange(scope, program, read, indices);
  });
  intervals.bind(ofKeys ? 3 : 2, firstRow, lastRow);
  intervals.bind(ofKeys ? 2 : 3, b.make<arith::IndexCastOp>("first_col", index, first),
                 b.make<arith::IndexCastOp>("last_col", index, last));
  Bounds allowed = intervals.result();
  Value all = b.make<arith::ConstantOp>("", b.builder.getBoolAttr(true));
  Value forbids = b.make<arith::XOrIOp>("forbids", allowed.low, all);
  b.make<tkern::AnswerOp>("", ValueRange{allowed.high, forbids});
}

void GradientWriter::eachWindow(llvm::function_ref<void()> body) {
  if (!program.listsSteps(stage))
    return body();
  auto windows = b.make<tkern::StepWindowsOp>("", colsOfRows, schedule.getKeys(), layout.stepsAt);
  ruleOfColumns(windows);
  Block &block = windows.getBody().emplaceBlock();
  window = block.addArgument(tkern::StepListType::get(b.builder.getContext()), b.at("window"));
  steps = block.addArgument(b.builder.getIndexType(), b.at("steps"));
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&block);
  body();
}

} // namespace tercet::compiler
