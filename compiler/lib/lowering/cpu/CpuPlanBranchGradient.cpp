// The plan of a backward of several branches, or of one with a gate or over pools:
//
//   attend     the forward's kernels    O and LSE of every branch, in buffers
//   gate       gate_<stage>             dO of a branch: dO times its gate
//   gradient   a pass per branch and    sums in f32 of dQ, dK and dV; of pools their gradients, which spread_pools adds for
//              side, spread_pools       their tokens
//   store      a pass per side          the gradients
#include "CpuPlanWriter.h"

#include <map>

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static Expr wholeTiles(Expr rows) { return ceildiv(std::move(rows), 4) * 4; }

// A buffer of rows, one batch entry of heads of the group.
PlanWriter::Slots PlanWriter::rowsOfBuffer(const std::string &name, Expr rows, int64_t width) {
  return {buffer(name), null(), integer(rows * width), integer(width)};
}

PlanWriter::ColumnSource PlanWriter::columnsOfBuffer(const std::string &name, bool isKey, int64_t dim, Expr rows) {
  ColumnSource source{.name = name, .isKey = isKey, .dim = dim, .tokens = buffer(name)};
  source.strides = {null(), integer(rows * dim), integer(dim)};
  source.lengths = null();
  source.heads = isKey ? sym("G") : GR;
  source.firstHead = 0;
  source.width = CpuSchedule::padded(dim);
  source.panel = schedule.plainPanel(source.width);
  source.count = rows;
  return source;
}

// dO of a branch, its D and the shifts of its rows.
PlanWriter::PackedColumns PlanWriter::addBranchRows(std::vector<PlanNode> &nodes, const GradientPass &pass) {
  const std::string &stage = pass.rows->name;
  const std::string gradient = stage + "_do";
  addBuffer(gradient, GR * sym("N") * program.valueDim, "gradient of the output of " + stage);
  Slots slots{tensor("do")};
  addStrides(slots, "do", 3);
  addCallSizes(slots);
  slots.push_back(integer(sym("G0")));
  slots.push_back(buffer(gradient));
  addPairOperands(slots, pairOperandsOf({pass.gate}));
  nodes.push_back(kernel("gate_" + stage, "prologue", ceildiv(sym("N"), 64), GR, 1, slots));

  for (const char *what : {"_shifts", "_rests", "_sums"})
    addBuffer(stage + what, GR * gradientRowsQ, "of rows of " + stage + ", as gradient_rows makes them");
  Slots rows{buffer(stage + "_o"), buffer(stage + "_lse"), null(), buffer(gradient)};
  for (int64_t width : {schedule.valueDim, int64_t{1}, int64_t{0}, program.valueDim})
    for (PlanSlot stride : Slots{null(), integer(sym("N") * width), integer(width)})
      rows.push_back(stride);
  for (PlanSlot slot :
       Slots{integer(static_cast<int64_t>(DType::f32)), null(), integer(sym("G")), integer(sym("R")), integer(sym("N")),
             integer(program.valueDim), null(), integer(gradientRowsQ), integer(schedule.level != CpuLevel::portable),
             buffer(stage + "_shifts"), buffer(stage + "_rests"), buffer(stage + "_sums"), null()})
    rows.push_back(slot);
  nodes.push_back(builtin("gradient_rows", "prologue", ceildiv(gradientRowsQ, 64), GR, rows));
  ColumnSource source = columnsOfBuffer(gradient, /*isKey=*/false, program.valueDim, sym("N"));
  source.dtype = DType::f32;
  source.side = schedule.queries;
  return packColumns(nodes, source, /*transposed=*/true, /*plain=*/true);
}

// Gradients of pools of a branch to the sums of their tokens.
void PlanWriter::spreadPools(std::vector<PlanNode> &nodes, const AttendStage &stage, bool adds) {
  for (bool isValue : {false, true}) {
    const std::string &weights = isValue ? stage.pools->valueWeights : stage.pools->keyWeights;
    Slots slots{buffer(stage.name + (isValue ? "_dv" : "_dk")),
                buffer(isValue ? "sum_dv" : "sum_dk"),
                integer(wholeTiles(stage.keys(sym("M")))),
                integer(wholeTiles(sym("M"))),
                integer(CpuSchedule::padded(isValue ? program.valueDim : program.headDim)),
                tensor("k_len"),
                integer(sym("HKV")),
                integer(sym("M")),
                integer(sym("G0")),
                integer(stage.pools->length),
                integer(stage.pools->stride),
                integer(stage.keys(sym("M")))};
    if (weights.empty()) {
      slots.insert(slots.end(), 5, null());
    } else {
      slots.push_back(tensor(weights));
      for (const char *property : {".size0", ".size1", ".0", ".1"})
        slots.push_back(integer(Expr::symbol(weights + property)));
    }
    slots.push_back(integer(adds));
    nodes.push_back(builtin("spread_pools", "gradient", ceildiv(sym("M"), 64), sym("G"), slots));
  }
}

void PlanWriter::addBranch(std::vector<PlanNode> &nodes, const GradientPass &queries, const GradientPass &keys,
                           const PackedColumns &ofGradient, const PackedColumns &q, const PackedColumns &k,
                           const PackedColumns &v) {
  const AttendStage &stage = *queries.forward;
  if (!stage.pools) {
    nodes.push_back(gradientPass(queries, k, v));
    nodes.push_back(gradientPass(keys, q, ofGradient));
    return;
  }
  auto packPools = [&](const char *suffix, int64_t dim, bool plain) {
    ColumnSource source = columnsOfBuffer(stage.name + suffix, /*isKey=*/true, dim, stage.keys(sym("M")));
    source.dtype = program.dtype;
    source.side = schedule.means;
    return packColumns(nodes, source, /*transposed=*/true, plain);
  };
  PackedColumns poolsK = packPools("_k", program.headDim, true), poolsV = packPools("_v", program.valueDim, false);
  Expr rows = sym("G") * wholeTiles(stage.keys(sym("M")));
  addBuffer(stage.name + "_dk", rows * CpuSchedule::padded(program.headDim), "gradients of pools of keys");
  addBuffer(stage.name + "_dv", rows * CpuSchedule::padded(program.valueDim), "gradients of pools of values");
  nodes.push_back(gradientPass(queries, poolsK, poolsV));
  nodes.push_back(gradientPass(keys, q, ofGradient));
  spreadPools(nodes, stage, /*adds=*/queries.adds);
}

// The passes of a branch are next to each other: of queries, and of keys.
void PlanWriter::addBranches(std::vector<PlanNode> &nodes, ArrayRef<GradientPass> passes) {
  int64_t widthX = CpuSchedule::padded(program.headDim), widthY = CpuSchedule::padded(program.valueDim);
  addBuffer("sum_dq", GR * wholeTiles(sym("N")) * widthX, "sums of dQ over branches");
  addBuffer("sum_dk", sym("G") * wholeTiles(sym("M")) * widthX, "sums of dK over branches");
  addBuffer("sum_dv", sym("G") * wholeTiles(sym("M")) * widthY, "sums of dV over branches");
  PackedColumns q = packColumns(nodes, columnsOf("q", /*isKey=*/false), true, true), k, v;
  if (llvm::any_of(program.attends, [](const AttendStage &stage) { return !stage.pools; })) {
    k = packColumns(nodes, columnsOf("k", /*isKey=*/true), true, true);
    v = packColumns(nodes, columnsOf("v", /*isKey=*/true), true, false);
    addBuffer("packed_k", sym("G") * tiles * (program.headDim * schedule.keyTile), "keys of a group as f32 tiles");
    addBuffer("packed_v", sym("G") * tiles * (schedule.keyTile * schedule.valueDim), "values of a group as f32 tiles");
    nodes.push_back(
        packKeys(tokensOf(sym("G"), sym("G0")), {.packedK = buffer("packed_k"), .packedV = buffer("packed_v")}));
  }
  for (size_t number = 0; number < program.attends.size(); ++number)
    addAttend(nodes, number);
  std::map<std::string, PackedColumns> gradients; // one for all branches under a softmax
  size_t first = 0;
  for (; !passes[first].stores; first += 2) {
    const std::string &rows = passes[first].rows->name;
    if (!gradients.contains(rows))
      gradients[rows] = addBranchRows(nodes, passes[first]);
    addBranch(nodes, passes[first], passes[first + 1], gradients[rows], q, k, v);
  }
  for (const GradientPass &pass : passes.drop_front(first))
    nodes.push_back(gradientPass(pass, {null(), null(), 0}, {null(), null(), 0}));
}
