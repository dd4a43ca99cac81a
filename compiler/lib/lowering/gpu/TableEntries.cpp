// Entries of gradients of tables: set to 0 before a call's groups, and summed from what shares give to each.
#include "GpuPairScope.h"
#include "TableStages.h"
#include "TableWarps.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

/// An entry of a table: where it stands along each axis, and in the gradient.
struct TableEntry {
  SmallVector<Value> along, sizes, strides;
  Value at;
};

/// Number `number`, or entry `last` of run `number` along the last axis: a table may have more than 2^32 entries.
TableEntry entryOf(GpuKernelBuilder &b, BlockArgument table, Value number, Value last = {}) {
  const std::string name = ir::argumentName(table);
  size_t axes = cast<ir::TableType>(table.getType()).getAxes().size();
  TableEntry entry{SmallVector<Value>(axes), {}, {}, b.constant(int64_t{0})};
  for (size_t axis = 0; axis < axes; ++axis) {
    std::string text = std::to_string(axis);
    entry.sizes.push_back(b.size("entries" + text, name + ".size" + text));
    entry.strides.push_back(b.size("to_stride" + text, "d" + name + "." + text));
  }
  for (size_t axis = axes; axis-- > 0;) {
    if (last && axis == axes - 1) {
      entry.along[axis] = last;
    } else {
      entry.along[axis] = b.remainder("along" + std::to_string(axis), number, entry.sizes[axis]);
      number = b.quotient("rest", number, entry.sizes[axis]);
    }
    entry.at = b.add("at", entry.at, b.mul("at_axis", entry.along[axis], entry.strides[axis]));
  }
  return entry;
}

/// A warp per entry, whose lanes go through what may read it: batch entries, heads, then positions or copies. An argument that is an axis'
/// index itself says which; of others each that may is asked. Lanes are numbered from the first on that may, so the order of a sum is the
/// same wherever in a batch it is.
class TableSums {
public:
  TableSums(MLIRContext &context, const GpuProgram &program, BlockArgument table, ArrayRef<SummedShares> shares)
      : kernel(context, program, "sum_d" + ir::argumentName(table), {"part", "unused", "unused2"}, stageThreads),
        b(kernel.b), program(program), table(table), shares(shares), scope(b) {}

  OwningOpRef<ModuleOp> build() {
    Type f32 = b.builder.getF32Type(), i32 = b.builder.getI32Type();
    const std::string name = "d" + ir::argumentName(table);
    Value gradient = b.pointer(f32, name, name), number = numberOfWarp(b, "entry");
    queryLengths = b.pointer(i32, "q_len", "q_len");
    keyLengths = b.pointer(i32, "k_len", "k_len");
    queries = b.size("queries", "N");
    keys = b.size("keys", "M");
    batches = b.size("batches", "B");
    headsPerKeyHead = b.size("heads_per_key_head", "R");
    keyHeads = b.size("key_heads", "HKV");
    firstPair = b.size("first_pair", "G0");
    pairs = b.size("pairs", "G");
    Value exists = isBelow(b, "exists", number, b.size("entries", "entries"));
    b.when(both(b, "has_entry", isThere(b, gradient), exists), [&] {
      entry = entryOf(b, table, number);
      lane = laneOf(b);
      Value sum = b.constant(0.0f);
      for (const auto &[pass, each] : shares)
        sum = add(*each, sum);
      b.call("add_to_entry", "table_gradient", {}, {gradient, entry.at, sum});
    });
    return kernel.finish(0);
  }

private:
  struct Range {
    Value first, count;
  };

  // Of the positions of argument `number`, of which there are `count`, those with this entry along an axis that they index themselves.
  Range rangeOf(const TableRead &read, unsigned number, Value count) {
    Value c0 = b.constant(int64_t{0}), c1 = b.constant(int64_t{1});
    for (size_t axis = 0; axis < read.indices.size(); ++axis) {
      if (!read.isArgument(axis, number))
        continue;
      Value along = entry.along[axis];
      Value isLast =
          b.make<arith::CmpIOp>("is_last", arith::CmpIPredicate::eq, b.add("behind", along, c1), entry.sizes[axis]);
      Value first = b.make<arith::MinSIOp>("first", along, count);
      Value end = b.make<arith::MinSIOp>("end", b.add("next", along, c1), count);
      return {first, b.sub("count", b.make<arith::SelectOp>("end_of_all", isLast, count, end), first)};
    }
    return {c0, count};
  }

  // Adds what every read of the entry gave, of these shares.
  Value add(const TableShares &of, Value sum) {
    const TableRead &read = of.read;
    rows = b.size(of.name + "_rows", of.name + ".rows");
    width = b.size(of.name + "_width", of.name + ".width");
    bool isOfKeys = of.kind == TableShares::Kind::keys, byFeature = of.kind == TableShares::Kind::features;
    Range ofBatch = rangeOf(read, 0, batches);
    Range ofHead = rangeOf(read, 1, b.mul("heads", keyHeads, headsPerKeyHead));
    Range ofRow = of.areEntries() ? Range{b.constant(int64_t{0}), rows} : rangeOf(read, isOfKeys ? 3 : 2, rows);
    Range ofCol = byFeature ? rangeOf(read, 3, width) : Range{};
    Value items = b.mul("items", b.mul("heads_of_items", ofBatch.count, ofHead.count), ofRow.count);
    if (byFeature)
      items = b.mul("items_by_feature", items, ofCol.count);
    Value ofLane = b.sub("left", b.add("items_and_warp", items, b.constant(lanes - 1)), lane);
    Value turns = b.quotient("turns", ofLane, b.constant(lanes));
    Value buffer = b.pointer(b.builder.getF32Type(), of.name, "@" + of.name);
    return b.loopFrom("turn", turns, "sum", sum, [&](Value turn, Value before) -> Value {
      Value rest = b.add("item", b.mul("first_item", turn, b.constant(lanes)), lane);
      auto take = [&](StringRef name, const Range &range) {
        Value number = b.add(name, b.remainder((name + "_number").str(), rest, range.count), range.first);
        rest = b.quotient("rest_of_item", rest, range.count);
        return number;
      };
      Value col = byFeature ? take("col", ofCol) : b.constant(int64_t{0});
      Value row = take("row", ofRow), head = take("head", ofHead), batch = b.add("batch", rest, ofBatch.first);
      return b.make<arith::AddFOp>("sum_so_far", before, shareOf(of, buffer, batch, head, row, col));
    });
  }

  Value shareOf(const TableShares &of, Value buffer, Value batch, Value head, Value row, Value col) {
    const TableRead &read = of.read;
    Value liveQueries = b.liveTokens("live_queries", queryLengths, batch, queries);
    Value liveKeys = b.liveTokens("live_keys", keyLengths, batch, keys);
    scope.liveRows = liveQueries;
    scope.liveKeys = liveKeys;
    Value pair =
        b.add("pair", b.mul("first_pair_of_batch", batch, keyHeads), b.quotient("key_head", head, headsPerKeyHead));
    Value group = b.sub("group", pair, firstPair);
    Value counts = both(b, "in_group", isBelow(b, "is_before", group, pairs),
                        b.make<arith::CmpIOp>("is_behind", arith::CmpIPredicate::sge, group, b.constant(int64_t{0})));
    if (!of.areEntries())
      counts =
          both(b, "counts", counts,
               isBelow(b, "is_live", row,
                       b.pooled("live_pools", of.kind == TableShares::Kind::keys ? liveKeys : liveQueries, of.tokens)));
    for (auto [number, position] : llvm::enumerate(ArrayRef<Value>{batch, head, row, col}))
      positions[number] = scope.narrow("position", position);
    if (of.kind == TableShares::Kind::keys)
      positions[3] = positions[2];
    Value ofRow = of.areEntries() ? b.constant(int64_t{0}) : col, run = b.constant(int64_t{1});
    for (size_t axis = read.indices.size(); axis-- > 0;) {
      if (of.areEntries() && read.needs[axis] != onNeither) { // a copy has all of them
        ofRow = b.add("of_copy", ofRow, b.mul("of_axis", entry.along[axis], run));
        run = b.mul("run", run, entry.sizes[axis]);
        continue;
      }
      PairRegion index(*read.indices[axis], scope);
      for (unsigned number = 0; number < 4; ++number)
        index.bind(read.first + number, positions[number]);
      counts = both(b, "reads", counts,
                    b.compute("is_read", b.builder.getI1Type(), "is_entry", "table_gradient", {},
                              {index.make(b.builder, index.yielded()), entry.sizes[axis], entry.along[axis]}));
    }
    Value member = b.add("member", b.mul("first_member", group, headsPerKeyHead),
                         b.remainder("share_of_pair", head, headsPerKeyHead));
    Value line = b.add("line", b.mul("first_line", member, rows), row);
    Value at = b.add("share_at", b.mul("line_at", line, width), ofRow);
    return b.compute("share", b.builder.getF32Type(), "share_of", "table_gradient", {}, {counts, buffer, at});
  }

  StageKernel kernel;
  GpuKernelBuilder &b;
  const GpuProgram &program;
  BlockArgument table;
  ArrayRef<SummedShares> shares;
  GpuPairScope scope;
  TableEntry entry;
  Value queryLengths, keyLengths, queries, keys, batches, headsPerKeyHead, keyHeads, firstPair, pairs, lane;
  Value rows, width;  ///< of the shares that are added
  Value positions[4]; ///< i32, of the read's arguments
};

} // namespace

OwningOpRef<ModuleOp> lowerTableClear(MLIRContext &context, const GpuProgram &program, BlockArgument table) {
  const std::string name = "d" + ir::argumentName(table);
  StageKernel kernel(context, program, "clear_" + name, {"run", "part", "unused"}, stageThreads);
  GpuKernelBuilder &b = kernel.b;
  Value gradient = b.pointer(b.builder.getF32Type(), name, name);
  Value thread = b.compute("thread", b.builder.getIndexType(), "thread_index", "thread", {}, {});
  Value last = b.add("entry", b.mul("first_entry", b.item(1), b.constant(stageThreads)), thread);
  Value exists = isBelow(b, "exists", last, b.size("entries", "run"));
  b.when(both(b, "has_entry", isThere(b, gradient), exists), [&] {
    b.call("keep_share", "table_gradient", {},
           {exists, gradient, entryOf(b, table, b.item(0), last).at, b.constant(0.0f)});
  });
  return kernel.finish(0);
}

OwningOpRef<ModuleOp> lowerTableSums(MLIRContext &context, const GpuProgram &program, BlockArgument table,
                                     ArrayRef<SummedShares> shares) {
  return TableSums(context, program, table, shares).build();
}

} // namespace tercet::compiler
