// The columns of passes of a backward: tensors of the call and buffers as tiles.
#include "CpuPlanWriter.h"

using namespace tercet;
using namespace tercet::compiler;

PlanWriter::ColumnSource PlanWriter::columnsOf(const char *name, bool isKey) {
  std::string base(name);
  int64_t dim = base == "v" || base == "do" ? program.valueDim : program.headDim, width = CpuSchedule::padded(dim);
  ColumnSource source{.name = base, .isKey = isKey, .dim = dim, .tokens = tensor(base)};
  addStrides(source.strides, base, 3);
  source.dtype = program.dtype;
  source.lengths = tensor(isKey ? "k_len" : "q_len");
  source.heads = sym(isKey ? "HKV" : "H");
  source.firstHead = isKey ? sym("G0") : sym("G0") * sym("R");
  source.width = width;
  source.panel = schedule.plainPanel(width);
  source.count = isKey ? placesK : placesQ;
  source.order = tokenOrder(isKey);
  source.tokenCounts = tokenCounts(isKey);
  source.side = isKey ? schedule.keys : schedule.queries;
  return source;
}

PlanWriter::Slots PlanWriter::rowsOfTensor(const std::string &name) {
  Slots slots{tensor(name)};
  addStrides(slots, name, 3);
  return slots;
}

PlanWriter::Slots PlanWriter::rowsOfBuffer(const std::string &name, Expr rows, int64_t width) {
  return {buffer(name), null(), integer(rows * width), integer(width)};
}

PlanWriter::ColumnSource PlanWriter::columnsOfBuffer(const std::string &name, bool isKey, int64_t dim, Expr rows,
                                                     DType dtype, const GradientSide &side) {
  Slots slots = rowsOfBuffer(name, rows, dim);
  ColumnSource source{.name = name, .isKey = isKey, .dim = dim, .tokens = slots.front()};
  source.strides.assign(slots.begin() + 1, slots.end());
  source.dtype = dtype;
  source.lengths = null();
  source.heads = isKey ? sym("G") : GR;
  source.firstHead = 0;
  source.width = CpuSchedule::padded(dim);
  source.panel = schedule.plainPanel(source.width);
  source.count = rows;
  source.side = side;
  return source;
}

// Plain tiles as products that make states take them.
PlanWriter::ColumnSource PlanWriter::asStates(ColumnSource source) const {
  source.width = schedule.valueDim;
  source.panel = schedule.valuePanel;
  return source;
}

// Columns of the other side's pass: tiles transposed, and plain where gradients are multiplied with them.
PlanWriter::PackedColumns PlanWriter::packColumns(std::vector<PlanNode> &nodes, const ColumnSource &source,
                                                  bool transposed, bool plain) {
  const GradientSide &side = source.side;
  Expr tokens = source.count, owners = source.isKey ? sym("G") : GR;
  Expr count = ceildiv(tokens, side.packed) * (side.packed / side.tile);
  PackedColumns columns{transposed ? buffer(source.name + "_transposed") : null(),
                        plain ? buffer(source.name + "_plain") : null(), count};
  if (transposed)
    addBuffer(columns.transposed.name, owners * count * (source.dim * side.tile),
              source.name + " of a group as f32 tiles, transposed");
  if (plain)
    addBuffer(columns.plain.name, owners * count * (side.tile * source.width),
              source.name + " of a group as f32 tiles");
  Slots slots{source.tokens, source.tokens};
  slots.insert(slots.end(), source.strides.begin(), source.strides.end());
  slots.insert(slots.end(), source.strides.begin(), source.strides.end());
  for (PlanSlot slot : Slots{integer(static_cast<int64_t>(source.dtype)),
                             source.lengths,
                             integer(source.heads),
                             integer(tokens),
                             integer(source.dim),
                             integer(source.dim),
                             integer(source.width),
                             integer(source.firstHead),
                             integer(side.packed),
                             integer(side.tile),
                             integer(schedule.inPanels ? schedule.keyPanel : side.tile),
                             integer(source.panel),
                             integer(count),
                             null(),
                             columns.transposed,
                             columns.plain,
                             null(),
                             null(),
                             source.order,
                             source.tokenCounts})
    slots.push_back(slot);
  nodes.push_back(builtin("pack_keys", "prologue", ceildiv(tokens, side.packed), owners, slots));
  return columns;
}

// Means of key blocks as rows, and as columns of queries.
PlanWriter::PackedColumns PlanWriter::packMeans(std::vector<PlanNode> &nodes, const char *name, bool plain) {
  std::string base = std::string("mean_") + name;
  int64_t dim = std::string_view(name) == "v" ? program.valueDim : program.headDim;
  addBuffer(base, sym("G") * TN * dim, "block means of " + std::string(name));
  Slots slots = rowsOfTensor(name);
  for (PlanSlot slot : Slots{integer(static_cast<int64_t>(program.dtype)), tensor("k_len"), integer(sym("HKV")),
                             integer(1), integer(sym("M")), integer(dim), integer(sym("G0")), integer(schedule.blockK),
                             integer(TN), buffer(base), null(), null()})
    slots.push_back(slot);
  nodes.push_back(builtin("pool_queries", "prologue", TN, sym("G"), slots));
  ColumnSource source = columnsOfBuffer(base, /*isKey=*/true, dim, TN, DType::f32, schedule.means);
  return packColumns(nodes, source, /*transposed=*/true, plain);
}
