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

// dO of a branch, its D and the shifts of its rows.
PlanWriter::PackedColumns PlanWriter::addBranchRows(std::vector<PlanNode> &nodes, const GradientPass &pass) {
  const std::string &stage = pass.rows->name;
  const std::string gradient = stage + "_do";
  Expr count = pass.rows->rows(placesQ);
  addBuffer(gradient, GR * count * program.valueDim, "gradient of the output of " + stage);
  Slots slots = rowsOfTensor("do");
  addCallSizes(slots);
  slots.push_back(integer(sym("G0")));
  slots.push_back(buffer(gradient));
  for (bool isKey : {false, true})
    addOrder(slots, isKey);
  addPairOperands(slots, pairOperandsOf({pass.gate}));
  addGateShares(slots, pass);
  Expr items = pass.rows->poolsQueries() ? count : ceildiv(placesQ, 64);
  nodes.push_back(kernel("gate_" + stage, "prologue", items, GR, 1, slots));

  // Buffers have one batch entry, of the group's heads.
  nodes.push_back(gradientRows(
      stage + "_", {rowsOfBuffer(stage + "_o", count, schedule.valueDim), rowsOfBuffer(stage + "_lse", count, 1),
                    rowsOfBuffer(stage + "_lse_rest", count, 1), rowsOfBuffer(gradient, count, program.valueDim),
                    DType::f32, null(), sym("G"), count, 0}));
  ColumnSource source = columnsOfBuffer(gradient, /*isKey=*/false, program.valueDim, count, DType::f32,
                                        pass.rows->poolsQueries() ? schedule.means : schedule.queries);
  return packColumns(nodes, source, /*transposed=*/true, /*plain=*/true);
}

// Gradients of pools of a branch to the sums of their tokens: dq, dk or dv.
PlanNode PlanWriter::spreadPools(const AttendStage &stage, const char *gradient, bool adds) {
  bool isQuery = std::string_view(gradient) == "dq", isValue = std::string_view(gradient) == "dv";
  const std::string weights = isQuery ? "" : poolWeights(stage, gradient);
  Expr places = isQuery ? placesQ : placesK, pools = isQuery ? stage.rows(placesQ) : stage.keys(placesK);
  Expr heads = isQuery ? GR : sym("G");
  Slots slots{buffer(stage.name + "_" + gradient),
              buffer(std::string("sum_") + gradient),
              integer(sumRows(pools)),
              integer(sumRows(places)),
              integer(CpuSchedule::padded(isValue ? program.valueDim : program.headDim)),
              tensor(isQuery ? "q_len" : "k_len"),
              integer(sym(isQuery ? "H" : "HKV")),
              integer(places),
              integer(isQuery ? sym("G0") * sym("R") : sym("G0")),
              integer(isQuery ? stage.queryRows() : stage.pools->length),
              integer(isQuery ? stage.queryRows() : stage.pools->stride),
              integer(pools)};
  addPoolWeights(slots, weights);
  slots.push_back(integer(adds));
  slots.push_back(tokenCounts(!isQuery));
  return builtin("spread_pools", "gradient", ceildiv(places, 64), heads, slots);
}

// Pools of q, k or v of a branch, as columns.
PlanWriter::PackedColumns PlanWriter::packPools(std::vector<PlanNode> &nodes, const AttendStage &stage,
                                                const char *name, bool plain) {
  bool isQuery = std::string_view(name) == "q";
  int64_t dim = std::string_view(name) == "v" ? program.valueDim : program.headDim;
  Expr pools = isQuery ? stage.rows(placesQ) : stage.keys(placesK);
  ColumnSource source = columnsOfBuffer(stage.name + "_" + name, !isQuery, dim, pools, program.dtype, schedule.means);
  return packColumns(nodes, source, /*transposed=*/true, plain);
}

// The pass of a branch over its queries, and the columns that its passes take.
PlanWriter::BranchColumns PlanWriter::addBranchQueries(std::vector<PlanNode> &nodes, ArrayRef<GradientPass> passes,
                                                       const BranchColumns &ofTokens) {
  const GradientPass &queries = passes[0];
  const AttendStage &stage = *queries.forward;
  if (stage.ofMeans) { // with its keys, which take the P that its queries do
    addMeanGradients(nodes, passes);
    return ofTokens;
  }
  auto addPools = [&](const char *gradient, Expr rows, int64_t dim) {
    addBuffer(stage.name + "_" + gradient, sumRows(rows) * CpuSchedule::padded(dim), "gradients of pools");
  };
  BranchColumns of = ofTokens;
  if (stage.poolsQueries()) {
    of.q = packPools(nodes, stage, "q", /*plain=*/true);
    addPools("dq", GR * sumRows(stage.rows(placesQ)), program.headDim);
  }
  if (stage.pools) {
    of.k = packPools(nodes, stage, "k", /*plain=*/true);
    of.v = packPools(nodes, stage, "v", /*plain=*/false);
    addPools("dk", sym("G") * sumRows(stage.keys(placesK)), program.headDim);
    addPools("dv", sym("G") * sumRows(stage.keys(placesK)), program.valueDim);
  }
  nodes.push_back(gradientPass(queries, of.k, of.v));
  if (stage.poolsQueries())
    nodes.push_back(spreadPools(stage, "dq", queries.adds));
  return of;
}

// Its passes over keys, and of tables.
void PlanWriter::addBranchKeys(std::vector<PlanNode> &nodes, ArrayRef<GradientPass> passes,
                               const PackedColumns &ofGradient, const BranchColumns &of) {
  const GradientPass &keys = passes[1];
  const AttendStage &stage = *keys.forward;
  if (stage.ofMeans)
    return;
  nodes.push_back(gradientPass(keys, of.q, ofGradient));
  if (stage.pools)
    for (const char *gradient : {"dk", "dv"}) {
      nodes.push_back(spreadPools(stage, gradient, keys.adds));
      if (!poolWeights(stage, gradient).empty())
        nodes.push_back(poolWeightGradient(stage, gradient));
    }
  for (const GradientPass &ofTable : passes.drop_front(2))
    nodes.push_back(gradientPass(ofTable, of.k, of.v));
}

// The passes of a branch are next to each other. Those over the queries of all branches under a softmax come first: only then is it known
// what their P add up to.
void PlanWriter::addBranches(std::vector<PlanNode> &nodes, ArrayRef<GradientPass> passes) {
  int64_t widthX = CpuSchedule::padded(program.headDim), widthY = CpuSchedule::padded(program.valueDim);
  addBuffer("sum_dq", GR * sumRows(placesQ) * widthX, "sums of dQ over branches");
  addBuffer("sum_dk", sym("G") * sumRows(placesK) * widthX, "sums of dK over branches");
  addBuffer("sum_dv", sym("G") * sumRows(placesK) * widthY, "sums of dV over branches");
  PackedColumns q = packColumns(nodes, columnsOf("q", /*isKey=*/false), true, true), k, v;
  if (llvm::any_of(program.attends, [](const AttendStage &stage) { return !stage.pools; })) {
    k = packColumns(nodes, columnsOf("k", /*isKey=*/true), /*transposed=*/false, /*plain=*/true);
    k.transposed = buffer("packed_k"); // as attend takes keys
    v = packColumns(nodes, columnsOf("v", /*isKey=*/true), /*transposed=*/true, /*plain=*/false);
    addBuffer("packed_k", sym("G") * tiles * (program.headDim * schedule.keyTile), "keys of a group as f32 tiles");
    addBuffer("packed_v", sym("G") * tiles * (schedule.keyTile * schedule.valueDim), "values of a group as f32 tiles");
    KeyTargets targets{.packedK = buffer("packed_k"), .packedV = buffer("packed_v")};
    if (program.means()) {
      targets.meanK = buffer("mean_k");
      targets.meanV = buffer("mean_v");
      addBuffer("mean_k", sym("G") * meanTiles * (64 * program.headDim), "block means of keys");
      addBuffer("mean_v", sym("G") * meanTiles * (64 * schedule.valueDim), "block means of values");
    }
    nodes.push_back(packKeys(tokensOf(sym("G"), sym("G0")), targets));
  }
  for (size_t number = 0; number < program.attends.size(); ++number)
    addAttend(nodes, number);
  struct Softmax {
    PackedColumns gradient; ///< one for all of its branches
    std::vector<std::pair<ArrayRef<GradientPass>, BranchColumns>> branches;
  };
  std::map<std::string, Softmax> softmaxes;
  size_t first = 0;
  while (!passes[first].stores) {
    const std::string &rows = passes[first].rows->name;
    if (!softmaxes.contains(rows)) {
      softmaxes[rows].gradient = addBranchRows(nodes, passes[first]);
      if (passes[first].sharesSoftmax())
        addBuffer(rows + "_shares", GR * gradientRowsQ, "sums of P over branches");
    }
    Softmax &softmax = softmaxes[rows];
    size_t end = first + 2;
    while (passes[end].ofTable)
      ++end;
    ArrayRef<GradientPass> branch = passes.slice(first, end - first);
    softmax.branches.emplace_back(branch, addBranchQueries(nodes, branch, {q, k, v}));
    if (passes[first].rows == passes[first].forward)
      for (const auto &[of, columns] : softmax.branches)
        addBranchKeys(nodes, of, softmax.gradient, columns);
    first = end;
  }
  for (const GradientPass &pass : passes.drop_front(first))
    nodes.push_back(gradientPass(pass, {null(), null(), 0}, {null(), null(), 0}));
}
