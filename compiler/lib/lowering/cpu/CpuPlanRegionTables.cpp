// Gradients of tables that score regions and gates read (TableShares.h): shares in buffers of a group, made by the passes of the backward,
// by kernels of gates, or by passes of their own, and a kernel per table that adds them.
#include "CpuPlanWriter.h"

#include "TableGradient.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

/// Strips of rows whose items run side by side, where their copies of the entries are no larger than a head's keys and values.
static constexpr int64_t mostStrips = 8;

/// Runs of entries that an item sets to 0, and places of queries whose entries an item sums.
static constexpr int64_t runsPerItem = 256, placesPerItem = 64;

static Expr sizeOf(const TableRead &read, size_t axis) {
  return Expr::symbol(ir::argumentName(read.table) + ".size" + std::to_string(axis));
}

static std::string purposeOf(const TableShares &shares) {
  const char *how = shares.kind == TableShares::Kind::entries    ? "its entries, per strip of rows"
                    : shares.kind == TableShares::Kind::features ? "by row and feature"
                    : shares.kind == TableShares::Kind::keys     ? "sums over queries, by key"
                                                                 : "sums over keys or features, by row";
  return "shares of the gradient of " + shares.table() + ": " + how;
}

PlanWriter::Slots PlanWriter::gradientOf(BlockArgument table) {
  std::string name = ir::argumentName(table);
  size_t axes = cast<ir::TableType>(table.getType()).getAxes().size();
  Slots slots{tensor("d" + name)};
  for (size_t axis = 0; axis < axes; ++axis)
    slots.push_back(integer(Expr::symbol(name + ".size" + std::to_string(axis))));
  addStrides(slots, "d" + name, static_cast<int>(axes));
  return slots;
}

void PlanWriter::addTableClears(std::vector<PlanNode> &nodes) {
  for (BlockArgument table : regionTables) {
    std::string name = ir::argumentName(table);
    Expr runs = 1;
    for (size_t axis = 1; axis < cast<ir::TableType>(table.getType()).getAxes().size(); ++axis)
      runs = runs * Expr::symbol(name + ".size" + std::to_string(axis - 1));
    Slots slots = gradientOf(table);
    slots.push_back(integer(runsPerItem));
    nodes.push_back(kernel("clear_d" + name, "gradient", ceildiv(runs, runsPerItem), 1, 1, slots));
  }
}

// Of the entries that a head reads: along axes whose index needs a position.
Expr PlanWriter::entriesOf(const TableRead &read) const {
  Expr entries = 1;
  for (size_t axis = 0; axis < read.needs.size(); ++axis)
    if (read.needs[axis] != onNeither)
      entries = entries * sizeOf(read, axis);
  return entries;
}

/// 1 where the entries that a read takes belong to queries, 0 where they do not, or where one serves all.
static Expr areOwned(const TableRead &read) {
  for (size_t axis = 0; axis < read.needs.size(); ++axis)
    if (read.owns(axis))
      return Expr::apply(Expr::Op::min, sizeOf(read, axis) - 1, 1);
  return 0;
}

Expr PlanWriter::superRowsPerStrip(const TableShares &shares) const {
  Expr superRows = ceildiv(placesQ, schedule.queries.superRow);
  if (shares.kind == TableShares::Kind::owned)
    return superRows - areOwned(shares.read) * (superRows - 1);
  Expr fitting = floordiv(placesK * (program.headDim + program.valueDim), entriesOf(shares.read));
  Expr strips = Expr::apply(Expr::Op::max, Expr::apply(Expr::Op::min, fitting, mostStrips), 1);
  return ceildiv(superRows, strips);
}

/// Of a query head: rows, keys, or strips.
Expr PlanWriter::shareRows(const TableShares &shares) const {
  switch (shares.kind) {
  case TableShares::Kind::queries:
  case TableShares::Kind::features:
    return placesQ;
  case TableShares::Kind::keys:
    return placesK;
  case TableShares::Kind::entries:
    return ceildiv(ceildiv(placesQ, schedule.queries.superRow), superRowsPerStrip(shares));
  case TableShares::Kind::owned:
    return 1;
  }
  return 1;
}

// As TableSlots and TablePassSlots expect them.
void PlanWriter::addTableShares(Slots &slots, const GradientPass &pass) {
  for (const TableShares &shares : pass.tables) {
    bool isOwned = shares.kind == TableShares::Kind::owned;
    Expr floats = GR * shareRows(shares);
    if (shares.kind == TableShares::Kind::entries)
      floats = floats * entriesOf(shares.read);
    if (!isOwned)
      addBuffer(shares.name, floats, purposeOf(shares));
    slots.push_back(tensor(shares.gradient()));
    slots.push_back(isOwned ? null() : buffer(shares.name));
    slots.push_back(integer(shareRows(shares)));
    if (!pass.ofTable)
      continue;
    for (PlanSlot slot : Slots{integer(superRowsPerStrip(shares)), integer(isOwned ? GR : Expr(1)), integer(GR),
                               integer(isOwned ? Expr(0) : entriesOf(shares.read))})
      slots.push_back(slot);
    if (isOwned) {
      addStrides(slots, shares.gradient(), static_cast<int>(shares.read.needs.size()));
      continue;
    }
    Slots strides(shares.read.needs.size(), null());
    Expr stride = 1;
    for (size_t axis = strides.size(); axis-- > 0;)
      if (shares.read.needs[axis] != onNeither) {
        strides[axis] = integer(stride);
        stride = stride * sizeOf(shares.read, axis);
      }
    slots.insert(slots.end(), strides.begin(), strides.end());
  }
}

void PlanWriter::addGateShares(Slots &slots, const GradientPass &pass) {
  if (!pass.ofGate.empty())
    slots.push_back(buffer(pass.rows->name + "_o"));
  for (const TableShares &shares : pass.ofGate) {
    int64_t dim = shares.kind == TableShares::Kind::features ? program.valueDim : 1;
    addBuffer(shares.name, GR * placesQ * dim, purposeOf(shares));
    slots.push_back(tensor(shares.gradient()));
    slots.push_back(buffer(shares.name));
  }
}

void PlanWriter::addTableSums(std::vector<PlanNode> &nodes, ArrayRef<GradientPass> passes) {
  for (BlockArgument table : regionTables) {
    std::vector<const TableShares *> shares = summedSharesOf(passes, table);
    if (shares.empty())
      continue;
    Slots slots = gradientOf(table);
    addCallSizes(slots);
    slots.push_back(integer(sym("G0")));
    slots.push_back(integer(GR));
    Expr inParts = 1;
    for (const TableShares *each : shares)
      inParts = inParts * areOwned(each->read);
    Expr places = Expr::apply(Expr::Op::max, placesQ - inParts * (placesQ - placesPerItem), placesPerItem);
    slots.push_back(integer(places));
    for (bool isKey : {false, true})
      addOrder(slots, isKey);
    addPairOperands(slots, indexOperandsOf(shares));
    for (const TableShares *each : shares) {
      slots.push_back(buffer(each->name));
      slots.push_back(integer(shareRows(*each)));
    }
    nodes.push_back(kernel("sum_d" + ir::argumentName(table), "gradient", ceildiv(placesQ, places), 1, 1, slots));
  }
}
