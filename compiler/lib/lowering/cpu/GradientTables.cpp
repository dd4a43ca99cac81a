// Gradients of tables that a score region reads, in a pass of the backward (TableShares.h): g = P (dP - sum) times the derivative of the
// region by what was read, summed over columns for every row of the item, or scattered to the entries that pairs read.
#include "GradientBuilder.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static constexpr int64_t storedRows = CpuSchedule::storedGradientRows;

/// Rows queries, with all of their keys: P (dP - sum) of a row add up to 0.
static bool isCentred(const GradientPass &pass) { return !pass.ofKeys && pass.isWhole(); }

void GradientBuilder::prepareTables() {
  for (TableOfPass &table : tables) {
    table.wanted = k.negate(k.isNull(table.slots.gradient));
    if (table.shares.read.factor)
      table.factors = k.scratch(schedule.rowTile, columns.tile);
    if (!pass.ofTable)
      table.sums = k.scratch(rows.superRow, 1);
    if (!isCentred(pass))
      continue;
    table.rests = k.scratch(rows.superRow, 1);
    table.means = k.scratch(rows.superRow, 1);
  }
}

// Before the pairs of a query head.
void GradientBuilder::startTables() {
  for (TableOfPass &table : tables)
    for (Value sums : {table.sums, table.rests, table.means})
      if (sums)
        k.clearRows(sums, zero, k.index(rows.superRow), 1);
}

// By the sums of P, as dQ. Of what rounding left of the sum of P (dP - sum), which should be 0, the derivatives' mean under P is taken out:
// at large scores it is many times what their differences give.
void GradientBuilder::normaliseTables(Value row, Value shares) {
  Value none = k.real(0);
  auto of = [&](Value rows) { return k.load(rows, row, storedRows, 1); };
  for (TableOfPass &table : tables)
    k.store(k.map({of(table.sums), of(table.rests), of(table.means), shares},
                  [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
                    Value empty = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[3], none);
                    Value mean = body.create<arith::DivFOp>(loc, v[2], v[3]);
                    Value rest = body.create<arith::MulFOp>(loc, v[1], mean);
                    Value sum = body.create<arith::SubFOp>(loc, v[0], rest);
                    return body.create<arith::SelectOp>(loc, empty, none, body.create<arith::DivFOp>(loc, sum, v[3]));
                  }),
            table.sums, row);
}

void GradientBuilder::keepTables(Value owner) {
  for (TableOfPass &table : tables)
    k.when(table.wanted, [&] {
      Value into = k.view(table.slots.shares, k.add(k.mul(owner, table.slots.count), firstRow), 1);
      k.loop(zero, validRows, storedRows,
             [&](Value row) { k.store(k.load(table.sums, row, storedRows, 1), into, row, {}, k.sub(validRows, row)); });
    });
}

void GradientBuilder::keepFactors(Value product, const Part &part, const Tile &tile) {
  for (TableOfPass &table : tables)
    if (table.factor)
      k.when(table.wanted,
             [&] { k.store(derivatives(*table.factor, product, part, tile), table.factors, zero, part.col); });
}

// A tile times the derivative; 0 where P is 0, whatever the derivative.
Value GradientBuilder::timesFactor(const TableOfPass &table, Value tile, const Part &part) {
  if (!table.factor)
    return tile;
  Value ofPairs = k.load(p, zero, part.rows, columnPanel(), part.col),
        factors = k.load(table.factors, zero, part.rows, columnPanel(), part.col);
  return k.map({tile, factors, ofPairs}, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    Value isZero = body.create<arith::CmpFOp>(loc, arith::CmpFPredicate::OEQ, v[2], k.real(0));
    return body.create<arith::SelectOp>(loc, isZero, v[2], body.create<arith::MulFOp>(loc, v[0], v[1]));
  });
}

// P (dP - sum), the derivative by the region's result.
Value GradientBuilder::resultGradients(Value dp, const Part &part, const Tile &tile) {
  SmallVector<Value> inputs{k.load(p, zero, part.rows, columnPanel(), part.col), dp, ofQueries(slots.sums, part, tile)};
  return k.map(inputs, [&](OpBuilder &body, Location loc, ValueRange v) -> Value {
    return body.create<arith::MulFOp>(loc, v[0], body.create<arith::SubFOp>(loc, v[1], v[2]));
  });
}

void GradientBuilder::sumTables(Value dp, const Part &part, const Tile &tile) {
  auto add = [&](Value into, Value values) {
    Value more = k.reduce(tkern::ReduceKind::Add, values);
    k.store(k.tileSum(k.load(into, part.row, part.rows, 1), more), into, part.row);
  };
  for (TableOfPass &table : tables)
    k.when(table.wanted, [&] {
      Value ofResult = resultGradients(dp, part, tile);
      add(table.sums, timesFactor(table, ofResult, part));
      if (!isCentred(pass))
        return;
      add(table.rests, ofResult);
      add(table.means, timesFactor(table, k.load(p, zero, part.rows, columnPanel(), part.col), part));
    });
}

void GradientBuilder::startScatter(Value queryHead) {
  const TableRead &read = tables.front().shares.read;
  TableView entries = scope.table(ir::argumentName(read.table), cast<ir::TableType>(read.table.getType()));
  bool isOwned = tables.front().shares.kind == TableShares::Kind::owned;
  entries.base = isOwned ? tables.front().slots.gradient : tables.front().slots.shares;
  entries.strides.assign(ofTable->strides.begin(), ofTable->strides.end());
  scattered.emplace(k, read, scope, std::move(entries), share);
  scattered->bind(read.first, batch);
  scattered->bind(read.first + 1, queryHead);
}

// The gradients of a row tile and a tile of columns, row by row.
void GradientBuilder::scatter(const Part &part, const Tile &tile) {
  unsigned query = tables.front().shares.read.first + 2;
  Value valid = k.min(k.sub(validRows, part.row), k.index(part.rows));
  Value end = k.min(k.sub(validColumns, tile.first), k.index(columns.tile));
  k.loop(zero, valid, 1, [&](Value row) {
    TableScatter ofRow = *scattered;
    ofRow.bind(query, k.add(k.add(firstRow, part.row), row));
    k.loop(zero, end, TableScatter::width, [&](Value col) {
      Value count = k.min(k.sub(end, col), k.index(TableScatter::width));
      ofRow.add(query + 1, k.add(tile.first, col), count, ds, row, col);
    });
  });
}

void GradientBuilder::clearShare(Value base) {
  constexpr int64_t width = TableScatter::width;
  k.loop(zero, ofTable->entries, width, [&](Value first) {
    Value run = k.view(tables.front().slots.shares, k.add(base, first), width);
    k.store(k.splat(k.real(0), 1, width), run, zero, {}, {}, k.sub(ofTable->entries, first));
  });
}

// An item adds the pairs of its rows, of one query head to a share, or of all of a group, in their order, to the entries that only these
// rows read.
void GradientBuilder::buildTable() {
  const TableSlots &of = tables.front().slots;
  bool isOwned = tables.front().shares.kind == TableShares::Kind::owned;
  k.when(k.negate(k.isNull(of.gradient)), [&] {
    Value firstOwner = k.mul(k.item(1), ofTable->owners), first = k.mul(k.item(0), ofTable->superRows);
    share = isOwned ? zero : k.mul(k.add(k.mul(firstOwner, of.count), k.item(0)), ofTable->entries);
    if (!isOwned)
      clearShare(share);
    k.loop(firstOwner, k.min(k.add(firstOwner, ofTable->owners), ofTable->allOwners), 1, [&](Value owner) {
      k.loop(first, k.min(k.add(first, ofTable->superRows), slots.superRows), 1, [&](Value number) {
        group = owner;
        superRow = number;
        locate();
        prologue();
        k.when(k.less(zero, k.min(validRows, validColumns)), [&] { visitHead(group); });
      });
    });
  });
  k.end();
}
