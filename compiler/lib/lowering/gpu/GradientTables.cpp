// Passes of tables (TableShares.h): P (dP - sum) times the derivative of the score region by what was read, summed over columns for every row,
// or added to the entries that pairs read. A warp owns what it adds to: rows of a table that belong to its queries, or a copy of the
// entries that a head reads.
#include "GradientWriter.h"
#include "TableStages.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace tercet::compiler {

struct TableOfKernel {
  explicit TableOfKernel(const TableShares &of) : of(of), indices(of.read.indices.size()) {}

  const TableShares &of;
  bool centres = false;   ///< makes sums of rows alone
  Value gradient, shares; ///< arguments
  std::optional<PairRegion> factor;
  // Of rows, in registers; rests and means where their P are all of a row's.
  Value sums, rests, means;
  // Of entries.
  Value owned, copyAt, entryAt, rowStride; ///< where a warp's copy begins, and what a head reads of the gradient
  std::vector<std::optional<PairRegion>> indices;
  SmallVector<Value> sizes, strides; ///< i32, per axis whose index needs a position other than the row's own; else null

  bool isOfEntries() const { return !centres && of.areEntries(); }
};

/// Whether none of the gradients that a pass makes shares of is asked for.
static Value areAbsent(GpuKernelBuilder &b, ArrayRef<TableShares> tables, Value first) {
  Type i1 = b.builder.getI1Type();
  Value absent = b.make<tkern::IsNullOp>("absent", i1, first);
  llvm::StringSet<> known;
  known.insert(tables.front().gradient());
  for (const TableShares &other : tables.drop_front()) {
    std::string name = other.gradient();
    if (!known.insert(name).second)
      continue;
    Value gradient = b.pointer(b.builder.getF32Type(), name, name);
    absent = b.make<arith::AndIOp>("all_absent", absent, b.make<tkern::IsNullOp>("absent", i1, gradient));
  }
  return absent;
}

void GradientWriter::buildTable() {
  const TableShares &of = pass.tables.front();
  Type f32 = b.builder.getF32Type();
  const std::string into = pass.centres ? pass.prefixOfRows() + "centred" : of.name;
  table = std::make_shared<TableOfKernel>(of);
  table->centres = pass.centres;
  table->gradient = b.pointer(f32, of.gradient(), of.gradient());
  table->shares = b.pointer(f32, "shares", "@" + into);
  Value absent = areAbsent(b, pass.tables, table->gradient);
  Value yes = b.make<arith::ConstantOp>("", b.builder.getBoolAttr(true));
  b.when(b.make<arith::XOrIOp>("wanted", absent, yes), [&] {
    makeRings();
    if (table->isOfEntries())
      return visitOwners();
    place(b.item(1), b.item(0));
    loadOperands();
    if (!ofKeys) {
      startRowSums();
      visitColumns();
      return keepRowSums();
    }
    b.loop("share", headsPerKeyHead, [&](Value share) {
      placeShare(share);
      startRowSums();
      visitColumns();
      keepRowSums();
    });
  });
}

// Rows queries, with all of their keys: P (dP - sum) of a row add up to 0.
void GradientWriter::startRowSums() {
  int64_t height = schedule.getWorkerRows();
  table->sums = b.registers("table_sums", height, 1, 0);
  if (ofKeys || !pass.isWhole())
    return;
  table->rests = b.registers("table_rests", height, 1, 0);
  table->means = b.registers("table_means", height, 1, 0);
  shares = b.registers("shares_of_rows", height, 1, 0);
}

// By the sums of P, as dQ. Of what rounding left of the sum of P (dP - sum), which should be 0, the derivatives' mean under P is taken out.
void GradientWriter::keepRowSums() {
  auto column = cast<tkern::TileType>(b.tile(schedule.getWorkerRows(), 1));
  Value c0 = b.constant(int64_t{0}), none = b.constant(0.0f);
  auto load = [&](StringRef name, Value from) -> Value {
    return b.make<tkern::LoadOp>(name, column, from, c0, c0, Value(), Value(), Value());
  };
  Value kept = load("sum_of_row", table->sums);
  if (pass.centres) {
    kept = b.map("centred_sum", column, {rowSum, load("rest_of_row", table->rests), load("p_of_row", shares)},
                 {"d", "r", "p"}, [&](ValueRange x) -> Value {
                   Value empty = b.make<arith::CmpFOp>("empty", arith::CmpFPredicate::OEQ, x[2], none);
                   Value more = b.make<arith::DivFOp>("more", x[1], x[2]);
                   return b.make<arith::SelectOp>("known", empty, x[0], b.make<arith::AddFOp>("sum", x[0], more));
                 });
    b.make<tkern::StoreOp>("", kept, numbersOfRows("centred", table->shares), row, c0, liveRows, Value());
    return;
  }
  if (table->rests)
    kept = b.map("share_of_row", column,
                 {kept, load("rest_of_row", table->rests), load("mean_of_row", table->means), load("p_of_row", shares)},
                 {"x", "r", "m", "p"}, [&](ValueRange x) -> Value {
                   Value empty = b.make<arith::CmpFOp>("empty", arith::CmpFPredicate::OEQ, x[3], none);
                   Value mean = b.make<arith::DivFOp>("mean", x[2], x[3]);
                   Value rest = b.make<arith::MulFOp>("rest", x[1], mean);
                   Value sum = b.make<arith::SubFOp>("sum", x[0], rest);
                   return b.make<arith::SelectOp>("known", empty, none, b.make<arith::DivFOp>("normal", sum, x[3]));
                 });
  Value into = b.rowsFrom("kept_shares", table->shares, b.mul("first_share", member, rows), 1);
  b.make<tkern::StoreOp>("", kept, into, row, c0, liveRows, Value());
}

// A block adds to rows of the table for all heads that share these, one after the other, or to copies for blocks of rows of one head.
void GradientWriter::visitOwners() {
  Value c0 = b.constant(int64_t{0});
  Value flag = b.size("owned", "share.owned"), heads = b.size("owner_heads", "share.heads"),
        batches = b.size("owner_batches", "share.batches"), members = b.size("members", "share.members"),
        strips = b.size("strips", "share.strips"), entries = b.size("entries", "share.width");
  table->owned = b.make<arith::CmpIOp>("is_owned", arith::CmpIPredicate::ne, flag, c0);
  Value blocks = b.make<arith::CeilDivUIOp>("blocks", b.size("rows", "share.rows"),
                                            b.constant(schedule.getBlockRows(), "block_rows"));
  Value ofStrip = b.make<arith::CeilDivUIOp>("blocks_of_strip", blocks, strips);
  // Copies of warps: [head of the group][strip][tableCopies][entries].
  Value strip = b.add("strip", b.mul("first_strip", b.item(1), strips), b.item(0));
  Value stripAt = b.mul("strip_at", strip, b.mul("strip_entries", entries, b.constant(tableCopies)));
  b.call("clear_copies", "table_gradient", {b.integer(tableCopies), b.integer(schedule.getWorkers())},
         {table->shares, stripAt, entries, table->owned});
  Value warp = b.compute("copy", b.builder.getIndexType(), "warp_worker", "thread", {}, {});
  table->copyAt = b.add("copy_at", stripAt, b.mul("copy_of_strip", warp, entries));
  Value turns = b.make<arith::SelectOp>("turns", table->owned, members, ofStrip);
  Value ofHead = b.remainder("owner_head", b.item(1), heads);
  Value ofBatch = b.remainder("owner_batch", b.quotient("owner_number", b.item(1), heads), batches);
  Value firstBlock = b.mul("first_block", b.item(0), ofStrip);
  b.loop("turn", turns, [&](Value turn) {
    place(b.make<arith::SelectOp>("member", table->owned, turn, b.item(1)),
          b.make<arith::SelectOp>("block_of_turn", table->owned, b.item(0), b.add("of_strip", firstBlock, turn)));
    auto equal = [&](StringRef name, Value x, Value count, Value to) -> Value {
      return b.make<arith::CmpIOp>(name, arith::CmpIPredicate::eq, b.remainder((name + "_number").str(), x, count), to);
    };
    Value takes = b.make<arith::AndIOp>("takes", equal("takes_head", head, heads, ofHead),
                                        equal("takes_batch", batch, batches, ofBatch));
    b.when(takes, [&] {
      b.wait("read_by_all", colsX, c0, 0); // a barrier: the rows of the turn before are read
      loadOperands();
      visitColumns();
    });
  });
}

void GradientWriter::startTable(Value ofBatch, Value ofHead) {
  if (pass.centres)
    return;
  scope.start(table->factor, table->of.read.factor.get(), table->of.read.first, ofBatch, ofHead,
              arith::FastMathFlags::contract);
  if (table->isOfEntries())
    startEntries(ofBatch, ofHead);
}

// What an index that needs no position says is where the gradient's entries begin; a copy has none of these axes, and along those it has
// its entries lie next to each other.
void GradientWriter::startEntries(Value ofBatch, Value ofHead) {
  const TableRead &read = table->of.read;
  TableView view = scope.table(ir::argumentName(read.table), cast<ir::TableType>(read.table.getType()));
  size_t axes = read.indices.size();
  Value none = b.constant(int64_t{0}), ofCopy = b.constant(int64_t{1});
  table->sizes.assign(axes, Value());
  table->strides.assign(axes, Value());
  table->entryAt = table->rowStride = none;
  for (size_t axis = axes; axis-- > 0;) {
    std::string number = std::to_string(axis);
    Value stride = b.size("to_stride" + number, table->of.gradient() + "." + number);
    std::optional<PairRegion> &index = table->indices[axis];
    scope.start(index, read.indices[axis].get(), read.first, ofBatch, ofHead);
    if (read.needs[axis] == onNeither) {
      Value entry = b.compute("entry" + number, b.builder.getIndexType(), "entry_at", "table_gradient", {},
                              {index->make(b.builder, index->yielded()), view.sizes[axis], stride});
      table->entryAt = b.add("first_entry", table->entryAt, entry);
      continue;
    }
    if (read.owns(axis)) {
      table->rowStride = stride;
    } else {
      table->sizes[axis] = scope.narrow("size" + number, view.sizes[axis]);
      table->strides[axis] =
          scope.narrow("stride" + number, b.make<arith::SelectOp>("chosen" + number, table->owned, stride, ofCopy));
    }
    ofCopy = b.mul("run" + number, ofCopy, view.sizes[axis]);
  }
}

void GradientWriter::scatter(Value values) {
  Value offsets = b.mapPairs("offsets", values, row, column, [&](ValueRange x) -> Value {
    Value zero = b.make<arith::ConstantOp>("", b.builder.getI32IntegerAttr(0)), offset = zero;
    Value one = b.make<arith::ConstantOp>("", b.builder.getI32IntegerAttr(1));
    for (size_t axis = 0; axis < table->strides.size(); ++axis) {
      if (!table->strides[axis])
        continue;
      PairRegion &index = *table->indices[axis];
      bindPair(index, table->of.read.first + 2, x.drop_front());
      Value last = b.make<arith::SubIOp>("last", table->sizes[axis], one);
      Value low = b.make<arith::MaxSIOp>("low", index.make(b.builder, index.yielded()), zero);
      Value at = b.make<arith::MulIOp>("at", b.make<arith::MinSIOp>("clamped_index", low, last), table->strides[axis]);
      offset = b.make<arith::AddIOp>("offset", offset, at);
    }
    return b.make<arith::BitcastOp>("bits", b.builder.getF32Type(), offset);
  });
  b.call("scatter_tile", "table_gradient", {},
         {values, offsets, row, liveRows, table->owned, table->gradient, table->entryAt, table->rowStride,
          table->shares, table->copyAt});
}

void GradientWriter::addToTable(Value p, Value ofScores, Value products) {
  if (pass.centres)
    return addRows(table->rests, ofScores);
  Value factors = table->factor ? mappedPairs("derivatives", *table->factor, products) : Value();
  auto timesFactor = [&](StringRef name, Value tile) {
    return factors ? timesDerivative(name, tile, p, factors) : tile;
  };
  Value values = timesFactor("of_table", ofScores);
  if (table->isOfEntries())
    return scatter(values);
  addRows(table->sums, values);
  if (!table->rests)
    return;
  addRows(table->rests, ofScores);
  addRows(table->means, timesFactor("of_mean", p));
}

} // namespace tercet::compiler
