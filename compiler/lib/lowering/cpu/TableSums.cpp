// The gradient of a table from the shares that passes made of it: entry by entry in the order of heads, rows and features, whatever group
// they are in. Where all reads are of the entries of queries, items have some of these each.
#include "BlockTokens.h"
#include "CpuKernels.h"
#include "CpuPairScope.h"
#include "GradientTokens.h"
#include "TableGradient.h"
#include "TableScatter.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {

TableView viewOf(KernelBuilder &k, BlockArgument table) {
  TableView view{k.pointer(DType::f32), {}, {}};
  size_t axes = cast<ir::TableType>(table.getType()).getAxes().size();
  for (SmallVector<Value> *properties : {&view.sizes, &view.strides})
    for (size_t axis = 0; axis < axes; ++axis)
      properties->push_back(k.integer());
  return view;
}

class SumsBuilder {
public:
  SumsBuilder(ModuleOp module, const Program &program, BlockArgument table, ArrayRef<const TableShares *> shares)
      : program(program), shares(shares), k(module, "sum_d" + ir::argumentName(table)), out(viewOf(k, table)),
        lengthsQ(k.pointer(DType::i32)), lengthsK(k.pointer(DType::i32)), headsKV(k.integer()), headsPerKV(k.integer()),
        placesQ(k.integer()), placesK(k.integer()), firstPair(k.integer()), owners(k.integer()),
        placesPerItem(k.integer()), queriesAt(k, program), keysAt(k, program), scope(k, indexOperandsOf(shares)) {}
  void build();

private:
  struct Rows {
    Value buffer, count; ///< of a query head
  };
  /// The end of the item's places, or of `count` that there are.
  Value placesBefore(Value count) { return k.min(count, k.add(firstPlace, placesPerItem)); }
  void sum(const TableShares &each, const Rows &rows, TableScatter scatter);
  void sumPositions(unsigned number, Value begin, Value end, Value from, Value values, const TableScatter &scatter);
  void sumPlaces(const TableShares &each, const Rows &rows, const TableScatter &scatter);
  void sumEntries(const TableShares &each, const Rows &rows, const TableScatter &scatter);

  const Program &program;
  ArrayRef<const TableShares *> shares;
  KernelBuilder k;
  TableView out;
  Value lengthsQ, lengthsK, headsKV, headsPerKV, placesQ, placesK, firstPair, owners, placesPerItem;
  BlockTokens queriesAt, keysAt;
  CpuPairScope scope;
  Value zero, owner, validQ, validK, firstPlace;
};

// Shares at `from` and on, one for each position of argument `number`; those of positions from `begin` to before `end`.
void SumsBuilder::sumPositions(unsigned number, Value begin, Value end, Value from, Value values,
                               const TableScatter &scatter) {
  k.loop(begin, end, TableScatter::width, [&](Value first) {
    Value count = k.min(k.sub(end, first), k.index(TableScatter::width));
    scatter.add(number, first, count, k.view(values, k.add(from, first), TableScatter::width), zero, zero);
  });
}

// Of rows at places: one share each, or one per feature.
void SumsBuilder::sumPlaces(const TableShares &each, const Rows &rows, const TableScatter &scatter) {
  unsigned query = each.read.first + 2;
  bool byFeature = each.kind == TableShares::Kind::features;
  k.loop(firstPlace, placesBefore(validQ), 1, [&](Value place) {
    Value token = queriesAt.token(place), row = k.add(k.mul(owner, rows.count), place);
    k.when(k.negate(k.less(token, zero)), [&] {
      if (!byFeature)
        return scatter.add(query, token, k.index(1), k.view(rows.buffer, row, TableScatter::width), zero, zero);
      TableScatter ofRow = scatter;
      ofRow.bind(query, token);
      sumPositions(query + 1, zero, k.index(program.valueDim), k.mul(row, program.valueDim), rows.buffer, ofRow);
    });
  });
}

// Copies of the entries that a head reads: those of all positions along axes whose indices need one.
void SumsBuilder::sumEntries(const TableShares &each, const Rows &rows, const TableScatter &scatter) {
  Value fixed = zero, entries = k.index(1);
  SmallVector<size_t> axes;
  for (size_t axis = 0; axis < each.read.needs.size(); ++axis) {
    if (each.read.needs[axis] == onNeither) {
      fixed = k.add(fixed, scatter.offset(axis));
      continue;
    }
    axes.push_back(axis);
    entries = k.mul(entries, out.sizes[axis]);
  }
  Value size = out.sizes[axes.back()], runs = k.div(entries, size);
  k.loop(zero, rows.count, 1, [&](Value strip) {
    Value from = k.mul(k.add(k.mul(owner, rows.count), strip), entries);
    k.loop(zero, runs, 1, [&](Value run) {
      Value at = fixed, rest = run;
      for (size_t axis : llvm::reverse(ArrayRef(axes).drop_back())) {
        at = k.add(at, k.mul(k.rem(rest, out.sizes[axis]), out.strides[axis]));
        rest = k.div(rest, out.sizes[axis]);
      }
      Value stride = out.strides[axes.back()];
      k.loop(zero, size, TableScatter::width, [&](Value first) {
        Value count = k.min(k.sub(size, first), k.index(TableScatter::width));
        Value values = k.view(rows.buffer, k.add(from, k.add(k.mul(run, size), first)), TableScatter::width);
        scatter.addRun(k.add(at, k.mul(first, stride)), stride, count, values, zero, zero);
      });
    });
  });
}

void SumsBuilder::sum(const TableShares &each, const Rows &rows, TableScatter scatter) {
  Value from = k.mul(owner, rows.count);
  switch (each.kind) {
  case TableShares::Kind::queries:
    if (queriesAt.ordered())
      return sumPlaces(each, rows, scatter);
    return sumPositions(each.read.first + 2, firstPlace, placesBefore(k.ceilDiv(validQ, each.tokens)), from,
                        rows.buffer, scatter);
  case TableShares::Kind::keys:
    return sumPositions(each.read.first + 3, zero, k.ceilDiv(validK, each.tokens), from, rows.buffer, scatter);
  case TableShares::Kind::features:
    return sumPlaces(each, rows, scatter);
  case TableShares::Kind::entries:
    return sumEntries(each, rows, scatter);
  case TableShares::Kind::owned:
    return;
  }
}

void SumsBuilder::build() {
  SmallVector<Rows> rows;
  for (size_t number = 0; number < shares.size(); ++number) {
    Value buffer = k.pointer(DType::f32);
    rows.push_back({buffer, k.integer()});
  }
  zero = k.index(0);
  firstPlace = k.mul(k.item(0), placesPerItem);
  k.when(k.negate(k.isNull(out.base)), [&] {
    k.loop(zero, owners, 1, [&](Value number) {
      owner = number;
      auto [group, batch, head] = QueryHead(k, owner, firstPair, headsKV, headsPerKV);
      validQ = k.tokenCount(lengthsQ, batch, placesQ);
      validK = k.tokenCount(lengthsK, batch, placesK);
      scope.validQ = queriesAt.tokens(validQ);
      scope.validK = keysAt.tokens(validK);
      scope.headsKV = headsKV;
      scope.headsPerKV = headsPerKV;
      for (auto [each, from] : llvm::zip(shares, rows)) {
        TableScatter scatter(k, each->read, scope, out, zero);
        scatter.bind(each->read.first, batch);
        scatter.bind(each->read.first + 1, head);
        sum(*each, from, scatter);
      }
    });
  });
  k.end();
}

} // namespace

void compiler::buildTableSums(ModuleOp module, const Program &program, BlockArgument table,
                              ArrayRef<const TableShares *> shares) {
  SumsBuilder(module, program, table, shares).build();
}

void compiler::buildTableClear(ModuleOp module, BlockArgument table) {
  KernelBuilder k(module, "clear_d" + ir::argumentName(table));
  TableView out = viewOf(k, table);
  Value runsPerItem = k.integer(), zero = k.index(0), size = out.sizes.back(), stride = out.strides.back();
  Value runs = k.index(1);
  for (Value extent : ArrayRef(out.sizes).drop_back())
    runs = k.mul(runs, extent);
  Value first = k.mul(k.item(0), runsPerItem);
  k.when(k.negate(k.isNull(out.base)), [&] {
    k.loop(first, k.min(runs, k.add(first, runsPerItem)), 1, [&](Value run) {
      Value at = zero, rest = run;
      for (size_t axis = out.sizes.size() - 1; axis-- > 0;) {
        at = k.add(at, k.mul(k.rem(rest, out.sizes[axis]), out.strides[axis]));
        rest = k.div(rest, out.sizes[axis]);
      }
      constexpr int64_t width = TableScatter::width;
      k.when(
          k.equal(stride, k.index(1)),
          [&] {
            k.loop(zero, size, width, [&](Value number) {
              Value some = k.view(out.base, k.add(at, number), width);
              k.store(k.splat(k.real(0), 1, width), some, zero, {}, {}, k.sub(size, number));
            });
          },
          [&] { k.clearRows(k.view(out.base, at, 1, stride), zero, size, 1); });
    });
  });
  k.end();
}
