// Which kernels make gradients of tables, and the buffers between them.
#include "TableStages.h"

#include "GradientKernel.h"
#include "GradientStages.h"
#include "PoolWeightGradient.h"
#include "TableGradient.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

/// Strips of a head's rows whose blocks of threads run side by side, where their copies take no more than the head's keys and values in f32.
constexpr int64_t mostStrips = 32;
constexpr int64_t rowsOfStrip = 64; ///< at least

Expr atMostOne(const Expr &count) { return Expr::apply(Expr::Op::min, count, 1); }
Expr sizeOf(BlockArgument table, size_t axis) {
  return Expr::symbol(ir::argumentName(table) + ".size" + std::to_string(axis));
}
size_t axesOf(BlockArgument table) { return cast<ir::TableType>(table.getType()).getAxes().size(); }

Expr entriesOf(BlockArgument table) {
  Expr entries = 1;
  for (size_t axis = 0; axis < axesOf(table); ++axis)
    entries = entries * sizeOf(table, axis);
  return entries;
}

/// Of a copy: along axes whose index needs a position.
Expr entriesOfHead(const TableRead &read) {
  Expr entries = 1;
  for (size_t axis = 0; axis < read.needs.size(); ++axis)
    if (read.needs[axis] != onNeither)
      entries = entries * sizeOf(read.table, axis);
  return entries;
}

/// Whose index is one of the read's arguments: what has another index has other entries, or where one serves all, the same.
std::optional<size_t> axisOf(const TableRead &read, unsigned number) {
  for (size_t axis = 0; axis < read.indices.size(); ++axis)
    if (read.isArgument(axis, number))
      return axis;
  return {};
}

/// All, gates once for all passes under one softmax; in the order in which they are summed.
SmallVector<SummedShares> sharesOf(const GpuProgram &program, BlockArgument table) {
  SmallVector<SummedShares> shares;
  for (const GradientPass &pass : program.gradient) {
    for (const TableShares &each : pass.tables)
      if (!pass.centres && each.read.table == table)
        shares.push_back({&pass, &each});
    if (pass.rows == pass.forward)
      for (const TableShares &each : pass.ofGate)
        if (each.read.table == table)
          shares.push_back({&pass, &each});
  }
  return shares;
}

const char *purposeOf(const TableShares &shares) {
  switch (shares.kind) {
  case TableShares::Kind::queries:
    return "sums over keys or features, by row";
  case TableShares::Kind::keys:
    return "sums over queries, by key";
  case TableShares::Kind::features:
    return "by row and feature";
  case TableShares::Kind::entries:
  case TableShares::Kind::owned:
    return "entries, per strip of rows and warp";
  }
  return "";
}

} // namespace

TableExtents::TableExtents(const GpuProgram &program, const GradientPass &pass, const TableShares &shares)
    : rows(pass.forward->rows(program.rows())), width(1), strips(1), owned(0), heads(1), batches(1) {
  const TableRead &read = shares.read;
  if (read.first == 0) // of a gate: by token
    rows = sym("N");
  if (shares.kind == TableShares::Kind::features)
    width = program.valueDim;
  if (shares.kind == TableShares::Kind::keys)
    rows = pass.forward->keys(program.keys());
  if (!shares.areEntries())
    return;
  width = entriesOfHead(read);
  for (size_t axis = 0; axis < read.needs.size(); ++axis)
    if (read.owns(axis))
      owned = atMostOne(sizeOf(read.table, axis) - 1);
  auto apart = [&](unsigned number, const char *count) -> Expr {
    std::optional<size_t> axis = axisOf(read, number);
    return axis ? 1 + owned * atMostOne(sizeOf(read.table, *axis) - 1) * (sym(count) - 1) : Expr(1);
  };
  batches = apart(0, "B");
  heads = apart(1, "H");
  Expr fitting = floordiv(program.keys() * (program.headDim + program.valueDim), width * tableCopies);
  Expr some = Expr::apply(Expr::Op::min, fitting, mostStrips);
  strips = Expr::apply(Expr::Op::max, Expr::apply(Expr::Op::min, some, ceildiv(rows, rowsOfStrip)), 1);
  rows = (1 - owned) * strips * tableCopies;
}

void addTableArguments(Plan &plan, const GpuProgram &program) {
  auto add = [&](const std::string &name) {
    if (plan.find("d" + name))
      return;
    std::vector<int64_t> axes = plan.find(name)->axes;
    plan.arguments.push_back({"d" + name, PlanArgument::Role::tableGradient, /*optional=*/true, /*isOutput=*/true,
                              DType::f32, std::move(axes)});
  };
  for (BlockArgument table : differentiatedTables(program.gradient))
    add(ir::argumentName(table));
  for (const std::string &name : weightTables(program))
    add(name);
}

void addTableBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program) {
  for (BlockArgument table : differentiatedTables(program.gradient))
    for (const auto &[pass, shares] : sharesOf(program, table)) {
      TableExtents of(program, *pass, *shares);
      buffers.push_back({shares->name, sym("G") * sym("R") * of.rows * of.width * 4,
                         "shares of the gradient of " + shares->table() + ": " + purposeOf(*shares)});
    }
  for (const GradientPass &pass : program.gradient)
    if (pass.centres)
      buffers.push_back({pass.prefixOfRows() + "centred",
                         sym("G") * sym("R") * paddedQueries(pass.forward->rows(program.rows())) * 4,
                         "sums of P dP of query rows, for gradients of tables"});
  addPoolWeightBuffers(buffers, program);
}

void addTableClears(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program) {
  for (BlockArgument table : differentiatedTables(program.gradient)) {
    Expr run = sizeOf(table, axesOf(table) - 1), runs = 1;
    for (size_t axis = 0; axis + 1 < axesOf(table); ++axis)
      runs = runs * sizeOf(table, axis);
    GpuStage &stage = stages.emplace_back(makeStage(
        "clear_d" + ir::argumentName(table), "gradient", {runs, ceildiv(run, stageThreads), 1}, "entry per thread",
        [&context, &program, table] { return lowerTableClear(context, program, table); }));
    stage.once = true;
    stage.sizes = {{"run", run}};
  }
}

void addGateShares(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                   const GradientPass &pass) {
  for (const TableShares &shares : pass.ofGate)
    stages.push_back(makeStage(
        shares.name, "gradient", {ceildiv(program.rows(), stageThreads / 32), sym("G") * sym("R"), 1}, "row per warp",
        [&context, &program, &pass, &shares] { return lowerGateShares(context, program, pass, shares); }));
}

void addTablePass(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program,
                  const CudaTarget &target, const GradientPass &pass, std::vector<std::string> &remarks) {
  const TableShares &shares = pass.tables.front();
  TableExtents of(program, pass, shares);
  GradientKernel kernel{pass.name, &pass, /*ofX=*/false, /*ofY=*/false};
  GpuStage stage;
  stage.kernel = pass.name;
  stage.stage = "gradient";
  stage.flops = pass.pairs(program.rows(), program.keys(), program.blockQ, program.blockK) *
                (2 * (program.headDim + program.valueDim)); // S and dP
  Expr rows = pass.ofKeys ? pass.forward->keys(program.keys()) : pass.forward->rows(program.rows());
  stage.sizes = {{"share.rows", rows},
                 {"share.width", of.width},
                 {"share.strips", of.strips},
                 {"share.owned", of.owned},
                 {"share.heads", of.heads},
                 {"share.batches", of.batches},
                 {"share.members", sym("G") * sym("R")}};
  for (tkern::GpuScheduleAttr schedule : gradientSchedules(context, program, kernel, target, remarks, &stage.pruned)) {
    Expr blocks = ceildiv(rows, schedule.getBlockRows()), owners = pass.ofKeys ? sym("G") : sym("G") * sym("R");
    std::array<Expr, 3> grid = {blocks, owners, 1};
    if (shares.areEntries() && !pass.centres)
      grid = {of.owned * blocks + (1 - of.owned) * of.strips,
              of.owned * of.heads * of.batches + (1 - of.owned) * owners, 1};
    stage.forms.push_back(gradientForm(context, program, kernel, schedule, grid));
  }
  stages.push_back(std::move(stage));
}

// Where all of a table's shares went to its entries at once there is nothing to add, of many entries.
void addTableSums(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program) {
  for (BlockArgument table : differentiatedTables(program.gradient)) {
    SmallVector<SummedShares> shares = sharesOf(program, table);
    if (shares.empty())
      continue;
    Expr entries = entriesOf(table), allOwned = 1;
    std::vector<std::pair<std::string, Expr>> sizes = {{"entries", entries}};
    for (const auto &[pass, each] : shares) {
      TableExtents of(program, *pass, *each);
      allOwned = allOwned * of.owned;
      sizes.insert(sizes.end(), {{each->name + ".rows", of.rows}, {each->name + ".width", of.width}});
    }
    GpuStage &stage = stages.emplace_back(
        makeStage("sum_d" + ir::argumentName(table), "gradient",
                  {ceildiv(entries, stageThreads / 32) * (1 - allOwned), 1, 1}, "entry per warp",
                  [&context, &program, table, shares] { return lowerTableSums(context, program, table, shares); }));
    stage.asGiven = true; // rows of gates are tokens
    stage.sizes = std::move(sizes);
  }
  addPoolWeightSums(stages, context, program);
}

} // namespace tercet::compiler
