// Arguments of an attend kernel, where a block stands, and the keys of its steps.
#include "AttendParts.h"

#include <cmath>
#include <numbers>

using namespace mlir;

namespace tercet::compiler {

AttendParts::AttendParts(ModuleOp module, const GpuProgram &program, const AttendStage &stage,
                         tkern::GpuScheduleAttr schedule)
    : b(module, stage.name, {"query_rows", "member", "unused"}), program(program), stage(stage), schedule(schedule),
      layout(*module.getContext(), program, stage, schedule),
      boxes(schedule.getWorker() == tkern::WorkerKind::Warpgroup), scope(b) {
  b.kernel->setAttr(tkern::GpuScheduleAttr::attributeName, schedule);
  // Left alone, ptxas shares registers out for 16 warps where blocks have fewer than 4: 128 a thread, and spills. Eight
  // warps have all 255.
  if (int64_t warps = schedule.getWorkers(); !boxes && warps < 4)
    b.kernel->setAttr(blocksAttribute, b.builder.getI64IntegerAttr(8 / warps));
  // Roles share the registers of one block out among themselves; for lists at head dimension 64 ptxas ignores that, with a note
  // (C7508), unless it is told that one block is all there is.
  if (boxes)
    b.kernel->setAttr(blocksAttribute, b.builder.getI64IntegerAttr(1));
  addArguments();
  place();
  if (program.inQueryBlocks(stage))
    placeBlocks();
  if (!stage.exact)
    return;
  countSteps();
  startPairs();
}

void AttendParts::addArguments() {
  Type f32 = b.builder.getF32Type(), i32 = b.builder.getI32Type();
  q = operand("q", stage.poolsQueries(), schedule.getWorkerRows());
  if (stage.exact) {
    k = operand("k", stage.pools.has_value(), schedule.getKeys());
    v = operand("v", stage.pools.has_value(), schedule.getKeys());
  }
  o = stage.storesOutput ? tensor("o", layout.element, 0) : buffer("o", f32, stage.name + "_o");
  if (stage.storesWide)
    wide = tensor("o_wide", f32, 0);
  if (stage.storesRest)
    rest = stage.keepsLse ? buffer("lse_rest", f32, stage.name + "_lse_rest") : tensor("lse_rest", f32, 0);
  if (stage.storesLse)
    lse = tensor("lse", f32, 0);
  else if (stage.keepsLse)
    lse = buffer("lse", f32, stage.name + "_lse");
  queryLengths = b.pointer(i32, "q_len", "q_len");
  if (stage.exact || isGated())
    keyLengths = b.pointer(i32, "k_len", takesAllAsGiven() ? (givenPrefix + "k_len").str() : "k_len");
  tokens = b.size("all_rows", "N");
  keyTokens = b.size("all_keys", takesAllAsGiven() ? "tokens.k" : "M");
  member = b.item(1);
  HeadPlace at = b.placeHead(member);
  group = at.group;
  batch = at.batch;
  keyHead = at.keyHead;
  head = at.head;
  headsPerKeyHead = at.headsPerKeyHead;
  if (stage.exact && !stage.scale.empty())
    scale = b.number("scale", "param." + stage.scale);
  if (stage.listed) {
    lists = inSuperRows() ? b.pointer(i32, "super_lists", "@super_lists") : b.pointer(i32, "lists", "@lists");
    counts = inSuperRows() ? b.pointer(i32, "super_counts", "@super_counts") : b.pointer(i32, "counts", "@counts");
  }
  if (stage.listed && program.isFine())
    takers = b.pointer(i32, "takers", "@takers");
  if (stage.listed && program.order)
    tileCounts = b.pointer(i32, "tile_counts", program.countsOfKeys());
  if (stage.means) {
    bits = b.pointer(i32, "mean_bits", "@mean_bits");
    meanK = b.pointer(layout.element, "mean_k", "@mean_k_rows");
    meanV = b.pointer(layout.element, "mean_v", "@mean_v_rows");
    if (program.meanPlanes() > 1)
      pairs = b.size("pairs", "G");
  }
  if (stage.linear) {
    queryLines = boxes ? tensor("q", layout.element, 0) : q;
    state = b.pointer(f32, "state", "@state");
    pairs = b.size("pairs", "G");
    if (!program.eps.empty())
      eps = b.number("eps", "param." + program.eps);
    if (!program.bias.empty())
      bias = b.pointer(f32, "bias", "@bias");
  }
  addInputs();
}

// Which rows the block works on. scope: what regions count are tokens.
void AttendParts::place() {
  rows = b.pooled("row_pools", tokens, stage.queryRows());
  keys = b.pooled("key_pools", keyTokens, stage.pools ? stage.pools->stride : 1);
  scope.liveRows = b.liveTokens("live_rows", queryLengths, batch, tokens);
  liveRows = chosenRows(b.pooled("live_row_pools", scope.liveRows, stage.queryRows()));
  if (keyLengths) {
    scope.liveKeys = b.liveTokens("live_keys", keyLengths, batch, keyTokens);
    liveKeys = b.pooled("live_key_pools", scope.liveKeys, stage.pools ? stage.pools->stride : 1);
  }
  if (program.order && (stage.score || stage.mask || isGated())) // pools lie in the order of blocks
    scope.startOrder(batch, stage.poolsQueries() ? Value() : tokens, stage.listed ? keyTokens : Value());
  placeBuffers();
  blockRow = b.mul("block_row", b.item(0), b.constant(schedule.getBlockRows(), "block_rows"));
  hasRows = b.make<arith::CmpIOp>("has_rows", arith::CmpIPredicate::slt, blockRow, liveRows);
}

// The query block of the block's rows, and the list that it takes.
void AttendParts::placeBlocks() {
  Value blockQ = b.constant(program.listRows(), program.isFine() ? "list_rows" : "block_q");
  Value queryBlock = b.quotient("query_block", blockRow, blockQ);
  queryBlocks = b.make<arith::CeilDivUIOp>("query_blocks", tokens, blockQ);
  list = listRow = b.add("list_row", b.mul("first_list_row", member, queryBlocks), queryBlock);
  if (!stage.listed || !inSuperRows())
    return;
  Value superRows = b.make<arith::CeilDivUIOp>("super_rows", queryBlocks, b.constant(layout.queryBlocks));
  list = b.add("list", b.mul("first_list", member, superRows), b.item(0));
}

void AttendParts::countSteps() {
  keysPerStep = b.constant(schedule.getKeys(), "keys_per_step");
  scoreUnit = scoreScale();
  Value none = b.constant(int64_t{0}), all;
  if (stage.listed) {
    Value blockK = b.constant(program.blockK, "block_k");
    keyBlocks = b.make<arith::CeilDivUIOp>("key_blocks", keys, blockK);
    listBase = b.mul("list_base", list, keyBlocks);
    if (tileCounts)
      firstCount = b.mul("first_count", batch, keyBlocks);
    Value count = b.make<tkern::ReadOp>("count", b.builder.getIndexType(), counts, list);
    Value last = b.sub("last", count, b.constant(int64_t{1}));
    lastEntry = b.make<arith::MaxSIOp>("last_entry", last, none);
    all = b.mul("all_steps", count, b.constant(partsOfEntry(), "parts"));
    Value live = b.make<arith::CeilDivUIOp>("blocks_with_keys", liveKeys, blockK);
    liveBlocks = b.make<arith::SelectOp>("live_blocks", hasRows, live, none);
  } else if (program.listsSteps(stage)) {
    keysOfRows = b.make<arith::SelectOp>("keys_of_rows", hasRows, liveKeys, none);
    return;
  } else {
    all = b.make<arith::CeilDivUIOp>("all_steps", liveKeys, keysPerStep);
  }
  steps = b.make<arith::SelectOp>("steps", hasRows, all, none);
}

TensorArgument AttendParts::tensor(StringRef name, Type element, int64_t boxRows) {
  if (!boxRows)
    return {b.tensor(element, name, name)};
  TensorArgument map;
  map.base = b.argument(tkern::TensorMapType::get(b.builder.getContext(), boxRows, 64, element), name, name);
  return map;
}

TensorArgument AttendParts::operand(StringRef name, bool pooled, int64_t boxRows) {
  if (pooled)
    return buffer(name, layout.element, stage.name + "_" + name.str());
  if (takesAllAsGiven() && name != "q")
    return {b.tensor(layout.element, name, (givenPrefix + name).str())};
  return tensor(name, layout.element, boxes ? boxRows : 0);
}

TensorArgument AttendParts::buffer(StringRef name, Type element, const std::string &symbol) {
  TensorArgument argument;
  argument.base = b.pointer(element, name, "@" + symbol);
  argument.inBuffer = true;
  return argument;
}

// Scores times this are exponents of 2; a score region yields natural units.
Value AttendParts::scoreScale() {
  if (stage.score)
    return b.constant(std::numbers::log2e_v<float>, "log2_e");
  if (stage.scale.empty())
    return b.constant(static_cast<float>(std::numbers::log2e * program.defaultScale()), "score_unit");
  Value log2e = b.constant(std::numbers::log2e, "log2_e");
  return b.make<arith::TruncFOp>("score_unit", b.builder.getF32Type(), b.make<arith::MulFOp>("unit", scale, log2e));
}

Value AttendParts::rowsOf(StringRef name, const TensorArgument &tensor, Value head, int64_t cols) {
  if (tensor.inBuffer)
    return b.rowsFrom(name, tensor.base, tensor.first, cols);
  return b.rowsOf(name, tensor, batch, head, cols);
}

Value AttendParts::meanRows(StringRef name, Value base, int64_t plane, int64_t cols) {
  return b.planeRows(name, base, plane, group, pairs, keyBlocks, cols);
}

// What an entry of a list says: the number of a key block or of a step, which workers take it, whether it is partial.
StepKeys AttendParts::entryOf(const std::string &text, Value at, bool ahead, Value worker) {
  Type index = b.builder.getIndexType();
  Value listed;
  if (window)
    listed = b.make<tkern::ListedOp>(text + "_block", index, window, at).getEntry();
  else
    listed = b.make<tkern::ReadOp>(text + "_block", index, lists, at = b.add(text + "_at", listBase, at));
  StepKeys entry = {listed, Value(), Value(), takers ? at : Value()};
  if (inSuperRows()) {
    entry.first = b.make<tkern::EntryBlockOp>(text + "_number", index, listed);
    if (worker)
      entry.takes = b.make<tkern::EntryTakesOp>("takes", b.builder.getI1Type(), listed, worker);
  } else if (stage.mask) {
    entry.first = b.entryNumber(text + "_number", listed);
    if (!ahead)
      entry.partial = b.entryIsPartial("partial", listed);
  }
  return entry;
}

// Steps of a list: each entry is a key block, taken in parts of a tile, or a tile.
StepKeys AttendParts::keysOf(StringRef name, Value step, bool ahead, Value worker) {
  if (!stage.listed && !window)
    return {b.mul(name, step, keysPerStep), Value(), Value()};
  std::string text = name.str();
  Value number = partsOfEntry() == 1 ? step : b.quotient(text + "_entry", step, b.constant(partsOfEntry()));
  Value known = ahead ? b.make<arith::MinSIOp>(text + "_known", number, lastEntry) : number;
  StepKeys keys = entryOf(text, known, ahead, worker);
  keys.first = keyOfPart(text, keys.first, number, step);
  if (ahead) {
    Value exists = b.make<arith::CmpIOp>(text + "_exists", arith::CmpIPredicate::slt, step, steps);
    keys.first = b.make<arith::SelectOp>(name, exists, keys.first, liveKeys);
  }
  return keys;
}

// Under a token order any block may end before its last place does.
Value AttendParts::keysLeft(Value first) {
  if (!tileCounts)
    return b.sub("keys_left", liveKeys, first);
  return b.tokensLeft(tileCounts, firstCount, program.blockK, first);
}

Value AttendParts::keyOfPart(const std::string &text, Value block, Value entry, Value step) {
  Value key = b.mul(text + "_first", block, b.constant(partsOfEntry() * schedule.getKeys()));
  if (partsOfEntry() == 1)
    return key;
  Value part = b.sub(text + "_part", step, b.mul(text + "_whole", entry, b.constant(partsOfEntry())));
  return b.add(text + "_inside", key, b.mul(text + "_tile", part, keysPerStep));
}

} // namespace tercet::compiler
