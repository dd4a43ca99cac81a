// Arguments of a gradient kernel, where a block stands, and its rows.
#include "GradientWriter.h"

#include "mlir/IR/Verifier.h"

#include <numbers>

using namespace mlir;

namespace tercet::compiler {

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
  if (kernel.makes == GradientKernel::Makes::gradients)
    addOperands();
  if (kernel.makes != GradientKernel::Makes::counts && !pass.ofMeans && !pass.isSummed())
    addOutputs();
  addSizes();
  if (pass.ofTable)
    return buildTable();
  place(b.item(1), b.item(0));
  if (kernel.makes == GradientKernel::Makes::counts)
    countLines();
  else if (kernel.makes == GradientKernel::Makes::sums)
    sumParts();
  else if (isOfGroups())
    buildWarpgroups();
  else
    buildWarps();
}

void GradientWriter::buildWarps() {
  makeRings();
  loadOperands();
  startSums();
  if (stage.means && !pass.ofMeans)
    unlessPart([&] { startFromMeans(); });
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
    unlessPart([&] { finish(); }, [&] { keepPart(); });
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

void GradientWriter::addOperands() {
  Type f32 = b.builder.getF32Type(), i32 = b.builder.getI32Type();
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
  shifts = b.pointer(f32, "shifts", "@" + ofRows + "shifts");
  if (program.isWide() || pass.ofTable) // where P is not rounded to 16 bits
    rests = b.pointer(f32, "rests", "@" + ofRows + "rests");
  sums = b.pointer(f32, "sums", "@" + ofRows + (pass.isCentred ? "centred" : "sums"));
  if (program.order && !ofKeys && !stage.pools)
    tileCounts = b.pointer(i32, "tile_counts", program.countsOfKeys());
  if (pass.ofMeans)
    addMeanArguments();
  if (listed) {
    std::string of = layout.superRows ? ofKeys ? "@super_key_" : "@super_" : ofKeys ? "@key_" : "@";
    lists = b.pointer(i32, "lists", of + "lists");
    counts = b.pointer(i32, "counts", of + "counts");
    if (program.isFine())
      takers = b.pointer(i32, "takers", of + "takers");
  }
}

void GradientWriter::addOutputs() {
  auto tensor = [&](StringRef name) { return b.tensor(layout.element, name, name); };
  if (kernel.ofX)
    toX = tensor(ofKeys ? "dk" : "dq");
  if (kernel.ofY)
    toY = tensor("dv");
}

void GradientWriter::addSizes() {
  Type i32 = b.builder.getI32Type();
  queryLengths = b.pointer(i32, "q_len", "q_len");
  keyLengths = b.pointer(i32, "k_len", "k_len");
  queries = b.size("queries", "N");
  if (!pass.isPooled(false))
    paddedQueries = b.size("padded_queries", "padded.q"); // an argument takes no register
  keys = b.size("keys", "M");
  if (!stage.scale.empty())
    scale = b.number("scale", "param." + stage.scale);
}

// Items of keys are pairs, whose heads they go through; those of queries are heads.
void GradientWriter::place(Value owner, Value block) {
  if (ofKeys) {
    group = owner;
    headsPerKeyHead = b.size("heads_per_key_head", "R");
    Value keyHeads = b.size("key_heads", "HKV"), pair = b.add("pair", b.size("first_pair", "G0"), group);
    batch = b.quotient("batch", pair, keyHeads);
    keyHead = b.remainder("key_head", pair, keyHeads);
  } else {
    member = owner;
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
  rowHead = ofKeys ? keyHead : head;
  if (inItems())
    placeItem();
  else
    firstRow = b.mul("first_row", block, b.constant(schedule.getBlockRows(), "block_rows"));
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
