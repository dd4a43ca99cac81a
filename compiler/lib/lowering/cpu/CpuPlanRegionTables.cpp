// Gradients of tables that score regions and gates read (TableShares.h): shares in buffers of a group, made by the passes of the backward,
// by kernels of gates, or by passes of their own, and a kernel per table that adds them.
#include "CpuPlanWriter.h"

#include "TableGradient.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

/// Strips of rows whose items run side by side, where their copies of the entries are no larger than a head's keys and values.
static constexpr int64_t mostStrips = 8;

static Expr sizeOf(const TableRead &read, size_t axis) {
  return Expr::symbol(ir::argumentName(read.table) + ".size" + std::to_string(axis));
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
    nodes.push_back(kernel("clear_d" + name, "gradient", runs, 1, 1, gradientOf(table)));
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

Expr PlanWriter::superRowsPerStrip(const TableShares &shares) const {
  Expr superRows = ceildiv(placesQ, schedule.queries.superRow);
  if (shares.kind == TableShares::Kind::owned) { // one entry for all rows where the axis has but one
    Expr one = 1;
    for (size_t axis = 0; axis < shares.read.needs.size(); ++axis)
      if (shares.read.owns(axis))
        one = Expr::apply(Expr::Op::min, sizeOf(shares.read, axis) - 1, 1);
    return superRows - one * (superRows - 1);
  }
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
      addBuffer(shares.name, floats, "shares of the gradient of " + shares.table());
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
    addBuffer(shares.name, GR * placesQ * dim, "shares of the gradient of " + shares.table());
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
    for (bool isKey : {false, true})
      addOrder(slots, isKey);
    addPairOperands(slots, indexOperandsOf(shares));
    for (const TableShares *each : shares) {
      slots.push_back(buffer(each->name));
      slots.push_back(integer(shareRows(*each)));
    }
    nodes.push_back(kernel("sum_d" + ir::argumentName(table), "gradient", 1, 1, 1, slots));
  }
}
