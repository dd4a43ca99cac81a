// What a gradient kernel stores of its sums.
#include "GradientWriter.h"

using namespace mlir;

namespace tercet::compiler {

// The P of a row add up to 1 but for the rounding of LSE and of the forward's exponents, which grows with the scores. It is taken
// out of dQ here, and out of the P of the keys by what is added to the rests.
Value GradientWriter::normalise() {
  auto column = cast<tkern::TileType>(b.tile(schedule.getWorkerRows(), 1));
  Value c0 = b.constant(int64_t{0}), zero = b.constant(0.0f), one = b.constant(1.0f);
  Value sum = b.make<tkern::LoadOp>("share_of_row", column, shares, c0, c0, Value(), Value(), Value());
  auto unlessEmpty = [&](Value sum, Value value, Value otherwise) -> Value {
    Value empty = b.make<arith::CmpFOp>("empty", arith::CmpFPredicate::OEQ, sum, zero);
    return b.make<arith::SelectOp>("known", empty, otherwise, value);
  };
  Value rest = b.map("exact_rest", column, {rowRest, sum}, {"r", "x"}, [&](ValueRange x) {
    Value log = b.make<math::Log2Op>("log", x[1]);
    return unlessEmpty(x[1], b.make<arith::SubFOp>("less", x[0], log), x[0]);
  });
  b.make<tkern::StoreOp>("", rest, numbersOfRows("kept_rest", rests), row, c0, liveRows, Value());
  return b.map("inverse", column, sum, {"x"},
               [&](ValueRange x) { return unlessEmpty(x[0], b.make<arith::DivFOp>("reciprocal", one, x[0]), zero); });
}

void GradientWriter::finish() {
  Value factor = scale ? b.make<arith::TruncFOp>("factor", b.builder.getF32Type(), scale).getResult()
                       : b.constant(static_cast<float>(program.defaultScale()), "factor");
  if (sumX)
    store("x", sumX, toX, layout.xCols, program.headDim, factor, shares ? normalise() : Value(), ofKeys ? "dk" : "dq");
  if (sumY)
    store("y", sumY, toY, layout.yCols, program.valueDim, Value(), Value(), "dv");
}

void GradientWriter::store(const std::string &name, Value sum, const StridedTensor &to, int64_t cols, int64_t width,
                           Value factor, Value byRow, const std::string &gradient) {
  Value c0 = b.constant(int64_t{0});
  auto type = cast<tkern::TileType>(b.tile(schedule.getWorkerRows(), cols));
  Value tile = b.make<tkern::LoadOp>("sum_of_" + name, type, sum, c0, c0, Value(), Value(), Value());
  if (byRow)
    tile = b.map("normal_" + name, type, {tile, byRow}, {"x", "by"}, [&](ValueRange x) -> Value {
      return b.make<arith::MulFOp>("times_row", x[0], x[1], arith::FastMathFlags::contract);
    });
  if (factor)
    tile = b.map("scaled_" + name, type, tile, {"x"}, [&](ValueRange x) -> Value {
      return b.make<arith::MulFOp>("times_scale", x[0], factor, arith::FastMathFlags::contract);
    });
  Value first = b.mul("first_of_" + name, ofKeys ? group : member, rows), sums;
  if (pass.isSummed())
    sums = b.bufferRows("sums_of_" + name, (pass.hasPooledRows() ? stage.name + "_" : "sum_") + gradient, first, cols);
  Value others = pass.addsToSums() ? sums : Value();
  if (!pass.isBranch && stage.linear)
    others = b.bufferRows("linear_" + name, "linear_" + gradient, first, cols);
  if (others)
    tile = b.compute("with_others_" + name, type, "add_kept_rows", "kept_rows", {}, {tile, others, row, liveRows});
  Value kept = b.compute("kept_" + name, type, "keep_rows", "softmax", {}, {tile, row, liveRows, b.constant(0.0f)});
  Value into = sums ? sums : b.rowsOf("to_" + name, to, batch, rowHead, width);
  b.make<tkern::StoreOp>("", kept, into, row, c0, rows, Value());
}

} // namespace tercet::compiler
