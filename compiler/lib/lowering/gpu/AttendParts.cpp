// The shared parts of both forms of the dense attention kernel.
#include "AttendParts.h"

#include <cmath>
#include <numbers>

using namespace mlir;

namespace tercet::compiler {

using tkern::Space;

AttendParts::AttendParts(ModuleOp module, const DenseProgram &program, tkern::GpuScheduleAttr schedule)
    : b(module, "attend", schedule), program(program), schedule(schedule),
      layout(*module.getContext(), program, schedule), boxes(schedule.getWorker() == tkern::WorkerKind::Warpgroup) {
  Type f32 = b.builder.getF32Type(), index = b.builder.getIndexType();
  q = tensor("q", layout.element, boxes ? schedule.getWorkerRows() : 0);
  k = tensor("k", layout.element, boxes ? schedule.getKeys() : 0);
  v = tensor("v", layout.element, boxes ? schedule.getKeys() : 0);
  o = tensor("o", layout.element, 0);
  lse = tensor("lse", f32, 0);
  Type lengths = tkern::PointerType::get(b.builder.getI32Type());
  Value queryLengths = b.argument(lengths, "q_len", "q_len"), keyLengths = b.argument(lengths, "k_len", "k_len");
  Value rows = b.argument(index, "all_rows", "N"), keys = b.argument(index, "all_keys", "M");
  Value headsPerKeyHead = b.argument(index, "heads_per_key_head", "R");
  if (!program.scale.empty())
    scale = b.argument(b.builder.getF64Type(), "scale", "param." + program.scale);

  Value blockRows = b.constant(schedule.getBlockRows(), "block_rows");
  keysPerStep = b.constant(schedule.getKeys(), "keys_per_step");
  // In 32 bits: a 64-bit division is a call, around which ptxas saves registers on a stack.
  Type i32 = b.builder.getI32Type();
  Value head = b.make<arith::IndexCastUIOp>("head", i32, b.item(1));
  Value group = b.make<arith::IndexCastUIOp>("group", i32, headsPerKeyHead);
  keyHead = b.make<arith::IndexCastUIOp>("key_head", index, b.make<arith::DivUIOp>("quotient", head, group));
  liveRows = liveCount("live_rows", queryLengths, rows);
  liveKeys = liveCount("live_keys", keyLengths, keys);
  blockRow = b.mul("block_row", b.item(0), blockRows);
  Value hasRows = b.make<arith::CmpIOp>("has_rows", arith::CmpIPredicate::slt, blockRow, liveRows);
  Value allSteps = b.make<arith::CeilDivUIOp>("all_steps", liveKeys, keysPerStep);
  steps = b.make<arith::SelectOp>("steps", hasRows, allSteps, b.constant(int64_t{0}));
  scoreUnit = scoreScale();
}

TensorArgument AttendParts::tensor(StringRef name, Type element, int64_t boxRows) {
  TensorArgument argument;
  if (boxRows) {
    Type map = tkern::TensorMapType::get(b.builder.getContext(), boxRows, 64, element);
    argument.base = b.argument(map, name, name);
    return argument;
  }
  Type index = b.builder.getIndexType();
  std::string text = name.str();
  argument.base = b.argument(tkern::PointerType::get(element), name, name);
  argument.batchStride = b.argument(index, text + "_batch", text + ".0");
  argument.headStride = b.argument(index, text + "_head", text + ".1");
  argument.rowStride = b.argument(index, text + "_row", text + ".2");
  return argument;
}

// min(lengths[batch], size), or size where no lengths are given.
Value AttendParts::liveCount(StringRef name, Value lengths, Value size) {
  Value absent = b.make<tkern::IsNullOp>(("no_" + name).str(), b.builder.getI1Type(), lengths);
  auto branch = b.make<scf::IfOp>(name, TypeRange(b.builder.getIndexType()), absent, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToStart(&branch.getThenRegion().front());
  b.make<scf::YieldOp>("", size);
  b.builder.setInsertionPointToStart(&branch.getElseRegion().front());
  Value given = b.make<tkern::ReadOp>((name + "_given").str(), b.builder.getIndexType(), lengths, b.item(2));
  Value smaller = b.make<arith::MinSIOp>((name + "_or_all").str(), given, size);
  b.make<scf::YieldOp>("", smaller);
  return branch.getResult(0);
}

// Scores times this are exponents of 2.
Value AttendParts::scoreScale() {
  if (program.scale.empty())
    return b.constant(static_cast<float>(std::numbers::log2e / std::sqrt(static_cast<double>(program.headDim))),
                      "score_unit");
  Value narrow = b.make<arith::TruncFOp>("scale", b.builder.getF32Type(), scale);
  return b.make<arith::MulFOp>("score_unit", narrow, b.constant(static_cast<float>(std::numbers::log2e), "log2_e"));
}

Value AttendParts::zeroed(StringRef name, int64_t cols) {
  int64_t rows = schedule.getWorkerRows();
  Value state = b.make<tkern::ScratchOp>(name, b.view(rows, cols, b.builder.getF32Type(), cols, Space::Register));
  Value zeros = b.make<tkern::SplatOp>((name + "_start").str(), b.tile(rows, cols), b.constant(0.0f));
  Value c0 = b.constant(int64_t{0});
  b.make<tkern::StoreOp>("", zeros, state, c0, c0, Value(), Value());
  return state;
}

void AttendParts::startRows() {
  max = zeroed("row_max", 1);
  sum = zeroed("row_sum", 4);
  acc = zeroed("acc", layout.valueCols);
}

Value AttendParts::rowsOf(StringRef name, const TensorArgument &tensor, Value head, int64_t cols) {
  std::string text = name.str();
  Value byBatch = b.mul(text + "_of_batch", b.item(2), tensor.batchStride);
  Value byHead = b.mul(text + "_of_head", head, tensor.headStride);
  Value offset = b.add(text + "_offset", byBatch, byHead);
  Type element = cast<tkern::PointerType>(tensor.base.getType()).getElementType();
  Type type = b.view(ShapedType::kDynamic, cols, element, ShapedType::kDynamic, Space::Global);
  return b.make<tkern::ViewOp>(name, type, tensor.base, offset, tensor.rowStride);
}

Value AttendParts::softmax(Value scores, Value step, Value keysLeft) {
  auto type = cast<tkern::TileType>(scores.getType());
  auto column = cast<tkern::TileType>(b.tile(type.getRows(), 1));
  Value c0 = b.constant(int64_t{0});
  Value first = b.make<arith::CmpIOp>("first", arith::CmpIPredicate::eq, step, c0);
  Value masked = b.make<tkern::MaskOp>("masked", type, scores, keysLeft);
  Value top = b.make<tkern::LoadOp>("top", column, max, c0, c0, Value(), Value(), Value());
  Value shift = b.map("shift", column, top, {"m"},
                      [&](ValueRange x) -> Value { return b.make<arith::NegFOp>("negative", x[0]); });
  Value relative = b.map("relative", type, {masked, shift}, {"s", "m"},
                         [&](ValueRange x) -> Value { return b.make<math::FmaOp>("exponent", x[0], scoreUnit, x[1]); });
  return b.make<tkern::SoftmaxStepOp>("p", relative, max, sum, acc, first);
}

void AttendParts::finishRows(Value row) {
  int64_t rows = schedule.getWorkerRows();
  auto column = cast<tkern::TileType>(b.tile(rows, 1));
  auto wide = cast<tkern::TileType>(b.tile(rows, layout.valueCols));
  Value c0 = b.constant(int64_t{0}), zero = b.constant(0.0f), one = b.constant(1.0f);
  Value ln2 = b.constant(static_cast<float>(std::numbers::ln2), "ln_2");

  Value parts = b.make<tkern::LoadOp>("sums", b.tile(rows, 4), sum, c0, c0, Value(), Value(), Value());
  Value total = b.make<tkern::ReduceOp>("total", column, tkern::ReduceKind::Add, parts);
  Value inverse = b.map("inverse", column, total, {"x"}, [&](ValueRange x) -> Value {
    Value empty = b.make<arith::CmpFOp>("empty", arith::CmpFPredicate::OEQ, x[0], zero);
    Value reciprocal = b.make<arith::DivFOp>("reciprocal", one, x[0]);
    return b.make<arith::SelectOp>("factor", empty, zero, reciprocal);
  });
  Value numerator = b.make<tkern::LoadOp>("numerator", wide, acc, c0, c0, Value(), Value(), Value());
  Value output = b.map("output", wide, {numerator, inverse}, {"x", "factor"},
                       [&](ValueRange x) -> Value { return b.make<arith::MulFOp>("quotient", x[0], x[1]); });
  Value outputRows = rowsOf("o_rows", o, b.item(1), program.valueDim);
  b.make<tkern::StoreOp>("", output, outputRows, row, c0, liveRows, Value());

  Value absent = b.make<tkern::IsNullOp>("no_lse", b.builder.getI1Type(), lse.base);
  Value wanted = b.make<arith::XOrIOp>("wants_lse", absent, b.make<arith::ConstantOp>("", b.builder.getBoolAttr(true)));
  auto branch = b.make<scf::IfOp>("", TypeRange(), wanted, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToStart(&branch.getThenRegion().front());
  Value top = b.make<tkern::LoadOp>("last_max", column, max, c0, c0, Value(), Value(), Value());
  Value logs = b.map("logs", column, {top, total}, {"m", "x"}, [&](ValueRange x) -> Value {
    Value log = b.make<math::Log2Op>("log", x[1]);
    Value binary = b.make<arith::AddFOp>("binary", x[0], log);
    return b.make<arith::MulFOp>("natural", binary, ln2);
  });
  Value logRows = rowsOf("lse_rows", lse, b.item(1), 1);
  b.make<tkern::StoreOp>("", logs, logRows, row, c0, liveRows, Value());
}

} // namespace tercet::compiler
