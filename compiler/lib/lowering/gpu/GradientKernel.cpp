// Sizes and arguments of a gradient kernel, where a block stands, its rows, and what it stores.
#include "GradientWriter.h"
#include "SharedRings.h"

#include "mlir/IR/Verifier.h"
#include "llvm/Support/MathExtras.h"

#include <numbers>

using namespace mlir;

namespace tercet::compiler {

using tkern::Space;

GradientLayout::GradientLayout(MLIRContext &context, const GpuProgram &program, const GradientKernel &kernel,
                               tkern::GpuScheduleAttr schedule)
    : element(elementType(context, program)) {
  bool groups = schedule.getWorker() == tkern::WorkerKind::Warpgroup;
  xCols = llvm::alignTo(program.headDim, groups ? 64 : 16);
  yCols = llvm::alignTo(program.valueDim, groups ? 64 : 16);
  bool ofMeans = kernel.pass->ofMeans, meanRows = ofMeans && kernel.pass->ofKeys, meanCols = ofMeans && !meanRows;
  planesX = ofMeans ? program.meanPlanes() : 1;
  planesY = ofMeans ? program.meanValuePlanes() : 1;
  int64_t ofGradient = kernel.pass->hasOwnGradient() ? program.gradientPlanes() : 1;
  int64_t rowPlanesY = meanRows ? planesY : kernel.pass->ofKeys ? 1 : ofGradient;
  colPlanesY = meanCols ? planesY : kernel.pass->ofKeys ? ofGradient : 1;
  // Warpgroups have a slot of rows each, so that each waits for its own only.
  int64_t parts = groups ? schedule.getWorkers() : 1, rows = schedule.getBlockRows() / parts;
  int64_t cols = schedule.getKeys(), slots = schedule.getSlots();
  rowsX = makeRing(meanRows ? planesX : parts, rows, xCols, element, groups);
  rowsY = makeRing(parts * rowPlanesY, rows, yCols, element, groups);
  colsX = makeRing(meanCols ? planesX : slots, cols, xCols, element, groups);
  colsY = makeRing(meanCols ? colPlanesY : slots * colPlanesY, cols, yCols, element, groups);
  rowsYAt = ringBytes(rowsX);
  colsXAt = rowsYAt + ringBytes(rowsY);
  numbered = groups && kernel.pass->ofKeys;
  colsYAt = colsXAt + ringBytes(colsX, numbered);
  stepsAt = colsYAt + ringBytes(colsY, numbered);
  sharedBytes = stepsAt + (program.listsSteps(*kernel.pass->forward) ? stepListBytes : 0);
  // Accumulators; P and dP, or what they become, and slopes beside them; numbers of columns, unless they come when they are needed; an
  // operand rounded.
  tileRegisters = (kernel.ofX ? xCols / 2 : 0) + (kernel.ofY ? yCols / 2 : 0) +
                  cols / 2 * (kernel.pass->slope && kernel.ofX ? 3 : 2) +
                  (kernel.pass->ofKeys && !numbered ? cols / 4 : 0) + cols / 4;
  listRows = tileBlocksOf(program, *kernel.pass).rows;
  superRows = groups && listRows == schedule.getWorkerRows();
  if (superRows)
    listRows = schedule.getBlockRows();
}

GradientWriter::GradientWriter(ModuleOp module, const GpuProgram &program, const GradientKernel &kernel,
                               tkern::GpuScheduleAttr schedule)
    : b(module, kernel.name, {"block", "member", "unused"}), layout(*module.getContext(), program, kernel, schedule),
      program(program), kernel(kernel), pass(*kernel.pass), stage(*pass.forward), ofKeys(pass.ofKeys),
      listed(pass.listed()), schedule(schedule), scope(b) {
  b.kernel->setAttr(tkern::GpuScheduleAttr::attributeName, schedule);
  if (isOfGroups()) // as attend: roles share the registers of one block out
    b.kernel->setAttr(blocksAttribute, b.builder.getI64IntegerAttr(1));
  else if (int64_t warps = schedule.getWorkers(); warps < 4) // as attend: all 255 registers for few warps
    b.kernel->setAttr(blocksAttribute, b.builder.getI64IntegerAttr(8 / warps));
}

void GradientWriter::build() {
  addArguments();
  place();
  rowHead = ofKeys ? keyHead : head;
  if (isOfGroups())
    buildWarpgroups();
  else
    buildWarps();
}

void GradientWriter::buildWarps() {
  Value c0 = b.constant(int64_t{0});
  rowsX = b.ring("rows_x", layout.rowsX, 0);
  rowsY = b.ring("rows_y", layout.rowsY, layout.rowsYAt);
  colsX = b.ring("cols_x", layout.colsX, layout.colsXAt);
  colsY = b.ring("cols_y", layout.colsY, layout.colsYAt);
  if (pass.ofMeans && ofKeys) {
    fillMeans(rowsX, rowsY, firstRow, liveRows);
  } else {
    b.fill(rowsX, c0, rowsOf("x_rows", ofKeys ? k : q, 0, program.headDim), firstRow, liveRows);
    for (int64_t plane = 0; plane < layout.rowsY.getSlots(); ++plane)
      b.fill(rowsY, b.constant(plane), rowsOf("y_rows", ofKeys ? v : gradient, plane, program.valueDim), firstRow,
             liveRows);
  }
  Value worker = b.make<tkern::WorkerOp>("worker", b.builder.getIndexType());
  Value workerRow = b.mul("worker_row", worker, b.constant(schedule.getWorkerRows(), "worker_rows"));
  row = b.add("row", firstRow, workerRow);
  int64_t ofX = layout.rowsX.getSlots(), ofY = layout.rowsY.getSlots();
  for (int64_t plane = 0; plane < ofX; ++plane)
    leftX.push_back(left("x", rowsX, plane, workerRow, /*later=*/ofX - 1 - plane + ofY));
  for (int64_t plane = 0; plane < ofY; ++plane)
    leftY.push_back(left("y", rowsY, plane, workerRow, /*later=*/ofY - 1 - plane));
  startSums();
  if (stage.means && !pass.ofMeans)
    startFromMeans();
  if (pass.means && shares)
    startShares();
  if (ofKeys)
    b.loop("share", headsPerKeyHead, [&](Value share) {
      placeShare(share);
      visitColumns();
    });
  else
    visitColumns();
  if (pass.ofMeans)
    keepMeans();
  else
    finish();
}

void GradientWriter::placeShare(Value share) {
  member = b.add("member_of_share", b.mul("first_member", group, headsPerKeyHead), share);
  head = b.add("head", b.mul("first_head", keyHead, headsPerKeyHead), share);
}

void GradientWriter::startSums() {
  int64_t height = schedule.getWorkerRows();
  if (kernel.ofX)
    sumX = b.registers("grad_x", height, layout.xCols, 0);
  if (kernel.ofY)
    sumY = b.registers("grad_y", height, layout.yCols, 0);
  if (!ofKeys && rests && (pass.isWhole() || pass.means))
    shares = b.registers("shares", height, 1, 0);
}

// What a product takes: a tensor with strides or, for box copies, a map.
StridedTensor GradientWriter::operand(StringRef name, StringRef symbol, bool isOfRows) {
  if (!isOfGroups())
    return b.tensor(layout.element, name, symbol);
  int64_t boxRows = isOfRows ? schedule.getWorkerRows() : schedule.getKeys();
  Type map = tkern::TensorMapType::get(b.builder.getContext(), boxRows, 64, layout.element);
  return {.base = b.argument(map, name, symbol)};
}

void GradientWriter::addArguments() {
  Type f32 = b.builder.getF32Type(), i32 = b.builder.getI32Type();
  auto tensor = [&](StringRef name) { return b.tensor(layout.element, name, name); };
  auto source = [&](StringRef name, StringRef symbol, bool isKey, const std::string &buffer) -> GradientSource {
    if (buffer.empty())
      return {operand(name, symbol, isKey == ofKeys), isKey, /*inBuffer=*/false};
    StridedTensor rows;
    rows.base = b.pointer(layout.element, name, "@" + buffer);
    return {rows, isKey, /*inBuffer=*/true};
  };
  auto pool = [&](StringRef name, bool isKey) {
    return source(name, name, isKey, pass.isPooled(isKey) ? stage.name + "_" + name.str() : "");
  };
  q = pool("q", /*isKey=*/false);
  if (!pass.ofMeans) {
    k = pool("k", /*isKey=*/true);
    v = pool("v", /*isKey=*/true);
  }
  const std::string ofRows = pass.prefixOfRows(); // d_o: a name that C++ takes
  gradient = source("d_o", "do", /*isKey=*/false, pass.hasOwnGradient() ? ofRows + "do" : "");
  if (pass.hasOwnGradient())
    pairs = b.size("pairs", "G");
  bool stores = !pass.ofMeans && !pass.isSummed();
  if (kernel.ofX && stores)
    toX = tensor(ofKeys ? "dk" : "dq");
  if (kernel.ofY && stores)
    toY = tensor("dv");
  shifts = b.pointer(f32, "shifts", "@" + ofRows + "shifts");
  if (program.isWide()) // where P is not rounded to 16 bits
    rests = b.pointer(f32, "rests", "@" + ofRows + "rests");
  sums = b.pointer(f32, "sums", "@" + ofRows + "sums");
  queryLengths = b.pointer(i32, "q_len", "q_len");
  keyLengths = b.pointer(i32, "k_len", "k_len");
  queries = b.size("queries", "N");
  if (!pass.isPooled(false))
    paddedQueries = b.size("padded_queries", "padded.q"); // an argument takes no register
  keys = b.size("keys", "M");
  if (!stage.scale.empty())
    scale = b.number("scale", "param." + stage.scale);
  if (program.order && !ofKeys && !stage.pools)
    tileCounts = b.pointer(i32, "tile_counts", program.countsOfKeys());
  if (pass.ofMeans)
    addMeanArguments();
  if (listed) {
    std::string of = layout.superRows ? ofKeys ? "@super_key_" : "@super_" : ofKeys ? "@key_" : "@";
    lists = b.pointer(i32, "lists", of + "lists");
    counts = b.pointer(i32, "counts", of + "counts");
  }
}

// Items of keys are pairs, whose heads they go through; those of queries are heads.
void GradientWriter::place() {
  if (ofKeys) {
    group = b.item(1);
    headsPerKeyHead = b.size("heads_per_key_head", "R");
    Value keyHeads = b.size("key_heads", "HKV"), pair = b.add("pair", b.size("first_pair", "G0"), group);
    batch = b.quotient("batch", pair, keyHeads);
    keyHead = b.remainder("key_head", pair, keyHeads);
  } else {
    member = b.item(1);
    HeadPlace at = b.placeHead(member);
    group = at.group;
    batch = at.batch;
    keyHead = at.keyHead;
    head = at.head;
    headsPerKeyHead = at.headsPerKeyHead;
  }
  scope.liveRows = b.liveTokens("live_queries", queryLengths, batch, queries);
  scope.liveKeys = b.liveTokens("live_keys", keyLengths, batch, keys);
  int64_t queriesOfRow = pass.isPooled(false) ? stage.queryRows() : 1;
  int64_t keysOfRow = pass.isPooled(true) ? stage.pools->stride : 1;
  Value liveQueries = b.pooled("live_query_pools", scope.liveRows, queriesOfRow);
  liveKeys = b.pooled("live_key_pools", scope.liveKeys, keysOfRow);
  queries = b.pooled("query_pools", queries, queriesOfRow);
  if (!paddedQueries) {
    Value pad = b.constant(queryNumbersPad, "pad");
    paddedQueries = b.mul("padded_queries", b.make<arith::CeilDivUIOp>("padded_blocks", queries, pad), pad);
  }
  keys = b.pooled("key_pools", keys, keysOfRow);
  rows = ofKeys ? keys : queries;
  liveRows = ofKeys ? liveKeys : liveQueries;
  liveCols = ofKeys ? liveQueries : liveKeys;
  if (pass.ofMeans)
    countMeans();
  firstRow = b.mul("first_row", b.item(0), b.constant(schedule.getBlockRows(), "block_rows"));
  hasRows = b.make<arith::CmpIOp>("has_rows", arith::CmpIPredicate::slt, firstRow, liveRows);
  unit = stage.score ? b.constant(std::numbers::log2e_v<float>, "log2_e")
         : stage.scale.empty()
             ? b.constant(static_cast<float>(std::numbers::log2e * program.defaultScale()), "score_unit")
             : b.make<arith::TruncFOp>("score_unit", b.builder.getF32Type(),
                                       b.make<arith::MulFOp>("unit", scale, b.constant(std::numbers::log2e, "log2_e")));
}

// Of the head that is worked on.
Value GradientWriter::rowsOf(StringRef name, const GradientSource &source, int64_t plane, int64_t cols) {
  if (!source.inBuffer)
    return b.rowsOf(name, source.tensor, batch, source.isKey ? keyHead : head, cols);
  Value owners = plane > 0 ? b.mul("heads_of_group", pairs, headsPerKeyHead) : Value();
  return b.planeRows(name, source.tensor.base, plane, source.isKey ? group : member, owners,
                     source.isKey ? keys : queries, cols);
}

Value GradientWriter::left(StringRef name, Value ring, int64_t slotNumber, Value workerRow, int64_t later) {
  Value c0 = b.constant(int64_t{0}), tile = b.wait((name + "_tile").str(), ring, b.constant(slotNumber), later);
  tkern::ViewType slot = cast<tkern::RingType>(ring.getType()).getSlot();
  return b.make<tkern::SubviewOp>(
      (name + "_operand").str(),
      b.view(schedule.getWorkerRows(), slot.getCols(), layout.element, slot.getStride(), Space::Shared), tile,
      workerRow, c0);
}

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
  if (kernel.ofX)
    store("x", sumX, toX, layout.xCols, program.headDim, factor, shares ? normalise() : Value(), ofKeys ? "dk" : "dq");
  if (kernel.ofY)
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

OwningOpRef<ModuleOp> lowerGradient(MLIRContext &context, const GpuProgram &program, const GradientKernel &kernel,
                                    tkern::GpuScheduleAttr schedule) {
  context.loadDialect<tkern::TkernDialect, arith::ArithDialect, scf::SCFDialect, math::MathDialect>();
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  GradientWriter writer(*module, program, kernel, schedule);
  writer.build();
  writer.b.finish(writer.layout.sharedBytes);
  TERCET_CHECK(succeeded(verify(*module)), "the GPU lowering builds kernels that verify");
  return module;
}

} // namespace tercet::compiler
