// Lines of keys as column_items.cuh orders them: an item is a line or, of a long one, a part of it, whose sums are kept and added up by a
// kernel of its own, part by part.
#include "GradientWriter.h"

#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;

namespace tercet::compiler {

// A block has an item's rows, or one of several shares of them. The rows of items behind the last lie behind the last row.
void GradientWriter::placeItem() {
  bool sums = kernel.makes == GradientKernel::Makes::sums;
  lines = b.size("lines", "lines"); // arguments, which take no registers
  spareLines = b.size("spare_lines", "spare_lines");
  items = b.pointer(b.builder.getI32Type(), "items", "@" + kernel.items + (sums ? "sums" : "items"));
  itemsOfPair = sums ? spareLines : b.add("items_of_pair", lines, spareLines);
  int64_t blocks = blocksOfLine();
  rowInLine = b.constant(int64_t{0});
  if (blocks > 1)
    rowInLine = b.mul("row_in_line", b.remainder("share_of_line", b.item(0), b.constant(blocks, "blocks_of_line")),
                      b.constant(schedule.getBlockRows(), "block_rows"));
  firstRow = rowOfItem("first_row");
}

Value GradientWriter::rowOfItem(const std::string &name) {
  Value lineRow = b.mul(name + "_of_line", readItem(name + "_line", 0), b.constant(kernel.lineRows, "line_rows"));
  return b.add(name, lineRow, rowInLine);
}

// Read where it is needed, entry and all: a load costs less than registers from here to there.
Value GradientWriter::readItem(StringRef name, int64_t field) {
  Value entry = b.compute((name + "_entry").str(), b.builder.getIndexType(), "entry_of_block", "column_items",
                          {b.integer(blocksOfLine())}, {itemsOfPair});
  if (field > 0)
    entry = b.add((name + "_at").str(), entry, b.constant(field));
  return b.make<tkern::ReadOp>(name, b.builder.getIndexType(), items, entry);
}

std::pair<Value, Value> GradientWriter::shareOfPart(Value count) {
  Value part = readItem("part", 1), parts = readItem("parts", 2);
  Value next = b.add("next_part", part, b.constant(int64_t{1}));
  isLastPart = b.make<arith::CmpIOp>("is_last", arith::CmpIPredicate::eq, next, parts);
  return {b.quotient("part_begin", b.mul("begin_in_parts", count, part), parts),
          b.quotient("part_end", b.mul("end_in_parts", count, next), parts)};
}

// The last part takes all that is left: what was counted says where parts meet, not what there is.
SmallVector<Value, 2> GradientWriter::partOfSteps() {
  if (!inItems())
    return {};
  Value counted = b.pointer(b.builder.getI32Type(), "step_counts", "@" + kernel.items + "counts");
  Value line =
      b.make<arith::MinSIOp>("live_line", readItem("line", 0), b.sub("last_line", lines, b.constant(int64_t{1})));
  Value count = b.make<tkern::ReadOp>("counted", b.builder.getIndexType(), counted,
                                      b.add("count_at", b.mul("first_count_at", member, lines), line));
  if (int64_t steps = llvm::divideCeil(kernel.countedCols, schedule.getKeys()); steps > 1)
    count = b.mul("counted_steps", count, b.constant(steps, "steps_of_counted"));
  auto [begin, end] = shareOfPart(count);
  Value all = b.constant(int64_t{std::numeric_limits<int32_t>::max()}, "all_that_is_left");
  return {begin, b.make<arith::SelectOp>("last_end", isLastPart, all, end)};
}

void GradientWriter::unlessPart(llvm::function_ref<void()> ofLine, llvm::function_ref<void()> ofPart) {
  if (!inItems() || kernel.makes != GradientKernel::Makes::gradients)
    return ofLine();
  Value slot = readItem("slot", 3), zero = b.constant(int64_t{0});
  if (ofPart)
    row = b.add("stored_row", rowOfItem("first_stored_row"), workerRow);
  b.when(b.make<arith::CmpIOp>("is_whole", arith::CmpIPredicate::slt, slot, zero), ofLine, ofPart);
}

Value GradientWriter::partSums(bool isOfX) {
  return b.pointer(b.builder.getF32Type(), isOfX ? "x_parts" : "y_parts", isOfX ? "@parts_dk" : "@parts_dv");
}

// Slots of a pair: [2 spare lines][rows of a line].
GradientWriter::SlotRows GradientWriter::slotRows(const std::string &name, Value base, Value slot, int64_t cols) {
  Value slots = b.mul("slots", spareLines, b.constant(int64_t{2}));
  Value first = b.mul(name + "_first", b.add(name + "_slot", b.mul("first_slot_of_pair", group, slots), slot),
                      b.constant(kernel.lineRows, "line_rows"));
  Value at = b.add(name + "_row", rowInLine, workerRow);
  return {b.rowsFrom(name + "_rows", base, first, cols), at,
          b.add(name + "_end", b.sub("rows_left", liveRows, row), at)};
}

void GradientWriter::keepPart() {
  Value c0 = b.constant(int64_t{0});
  auto keep = [&](const std::string &name, Value sum, bool isOfX, int64_t cols) {
    if (!sum)
      return;
    auto type = cast<tkern::TileType>(b.tile(schedule.getWorkerRows(), cols));
    Value tile = b.make<tkern::LoadOp>(name + "_of_part", type, sum, c0, c0, Value(), Value(), Value());
    SlotRows to = slotRows("kept_" + name, partSums(isOfX), readItem("slot_of_part", 3), cols);
    b.make<tkern::StoreOp>("", tile, to.rows, to.row, c0, to.end, Value());
  };
  keep("x", sumX, /*isOfX=*/true, layout.xCols);
  keep("y", sumY, /*isOfX=*/false, layout.yCols);
}

// One gradient after the other, so that a thread holds the sums of one.
void GradientWriter::sumParts() {
  Value worker = b.make<tkern::WorkerOp>("worker", b.builder.getIndexType());
  workerRow = b.mul("worker_row", worker, b.constant(schedule.getWorkerRows(), "worker_rows"));
  row = b.add("row", firstRow, workerRow);
  Value c0 = b.constant(int64_t{0});
  auto sum = [&](const std::string &name, Value &into, bool isOfX, int64_t cols) {
    into = b.registers("grad_" + name, schedule.getWorkerRows(), cols, 0);
    if (stage.means)
      startFromMeans();
    Value base = partSums(isOfX);
    auto type = cast<tkern::TileType>(b.tile(schedule.getWorkerRows(), cols));
    b.loop("part", readItem("parts", 2), [&](Value part) {
      SlotRows from = slotRows(name + "_part", base, b.add("slot_of_part", readItem("first_slot", 1), part), cols);
      Value tile = b.make<tkern::LoadOp>(name + "_so_far", type, into, c0, c0, Value(), Value(), Value());
      tile =
          b.compute(name + "_with_part", type, "add_kept_rows", "kept_rows", {}, {tile, from.rows, from.row, from.end});
      b.make<tkern::StoreOp>("", tile, into, c0, c0, Value(), Value());
    });
    finish();
    into = Value();
  };
  if (kernel.ofX)
    sum("x", sumX, /*isOfX=*/true, layout.xCols);
  if (kernel.ofY)
    sum("y", sumY, /*isOfX=*/false, layout.yCols);
}

// Of every head: the passes take the same steps, in these rows and columns.
void GradientWriter::countLines() {
  Value into = b.pointer(b.builder.getI32Type(), "step_counts", "@" + kernel.items + "counts");
  lines = b.size("lines", "lines");
  colsOfRows = b.make<arith::SelectOp>("cols_of_rows", hasRows, liveCols, b.constant(int64_t{0}));
  b.loop("share", headsPerKeyHead, [&](Value share) {
    placeShare(share);
    startRegions();
    Value at = b.add("count_at", b.mul("first_count_at", member, lines), b.item(0));
    b.call("start_count", "column_items", {}, {at, into});
    eachWindow([&] { b.call("add_to_count", "column_items", {}, {steps, at, into}); });
  });
}

} // namespace tercet::compiler
