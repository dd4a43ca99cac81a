// The backward of the linear branch in a CPU plan, in two passes over slices of values, each of which makes states of one side,
// sums them for the blocks of the other, and multiplies:
//
//   project    project_gradient, pack_keys               dO_l = dO W, as tiles
//   center     mean_values, center_values, pack_keys     V less its mean, as tiles
//   queries    state, aggregate, linear_queries          h_j; H_i; J_phi^T dphi(Q), O_l
//   keys       state_gradient, aggregate, linear_keys    dh_i; dH_j; J_phi^T dphi(K), dV
//   weights    weight_gradient                           dW, db
//
// H_i is made again, not saved: it has featureDim values per value of a block's O (docs/gradients.md#kernels). Slots follow the
// lists in CpuKernels.h.
#include "CpuPlanWriter.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static Expr most(Expr a, Expr b) { return Expr::apply(Expr::Op::max, std::move(a), std::move(b)); }

// Every block's sums lie in memory at once, in as many slices as that has room for.
PlanWriter::StateSums PlanWriter::gradientKeyStates() const {
  return {"linear", tensor("k_len"), sym("M"), linearTM, linearTN, program.globalState() ? Expr(1) : linearTM,
          0,        subset};
}

PlanWriter::StateSums PlanWriter::queryStates() const {
  return {"linear_by_key", tensor("q_len"), sym("N"), linearTN, linearTM, program.globalState() ? Expr(1) : linearTN, 0,
          subsetK};
}

void PlanWriter::addLinearGradientBuffers() {
  Expr G = sym("G"), state = sym("S") * (schedule.featureDim * schedule.valueSlice), F = schedule.featureDim;
  Expr blocks = most(G * linearTN, GR * linearTM);
  Expr sums = program.globalState() ? GR : GR * most(linearTM, linearTN);
  Expr rowsQ = GR * linearTM * schedule.queries.packed, rowsK = G * linearTN * schedule.keys.packed;
  addBuffer("mean_v", G * schedule.valueDim, "means of values");
  addBuffer("centred_v", G * sym("M") * program.valueDim, "values less their mean");
  addBuffer("h", blocks * state, "states of blocks of one side, one pass of slices");
  addBuffer("z", blocks * F, "normalisers of these blocks");
  addBuffer("state", sums * state, "states of blocks of the other side, one pass of slices");
  addBuffer("state_z", sums * F, "normalisers of blocks of the other side");
  addBuffer("inverses", rowsQ, "1 / denominators of query rows");
  addBuffer("linear_sums", rowsQ, "sums of dO_l O_l of query rows");
  addBuffer("linear_dq", rowsQ * F, "gradient of Q through the linear branch");
  addBuffer("linear_dk", rowsK * F, "gradient of K through the linear branch");
  addBuffer("linear_dv", rowsK * schedule.valueDim, "gradient of V through the linear branch");
  if (!program.weight.empty()) {
    addBuffer("packed_w", program.valueDim * schedule.valueDim, "projection weight");
    addBuffer("linear_do", GR * sym("N") * program.valueDim, "gradient of the linear branch");
    addBuffer("linear", rowsQ * schedule.valueDim, "linear branch of a group");
  }
  if (program.globalState())
    return;
  addLinearSetBuffers(gradientKeyStates());
  addLinearSetBuffers(queryStates());
  addBuffer("linear_used", G, "which pairs have linear sets at all");
}

void PlanWriter::addLinearSides(Slots &slots, bool isKey) {
  const StateSums sums = isKey ? queryStates() : gradientKeyStates();
  for (PlanSlot slot :
       Slots{tensor(isKey ? "k_len" : "q_len"), integer(sym("HKV")), integer(sym("R")), integer(sym(isKey ? "M" : "N")),
             integer(sym("G0")), integer(sums.rowBlocks), integer(sums.rows), integer(sym("S")), integer(sym("S0")),
             program.globalState() ? null() : buffer(sums.sets + "_counts")})
    slots.push_back(slot);
}

PlanWriter::ColumnSource PlanWriter::centredValues(std::vector<PlanNode> &nodes) {
  Slots slots = rowsOfTensor("v");
  for (PlanSlot slot :
       Slots{tensor("k_len"), integer(sym("HKV")), integer(sym("M")), integer(sym("G0")), buffer("mean_v")})
    slots.push_back(slot);
  nodes.push_back(kernel("mean_values", "prologue", 1, sym("G"), 1, slots));
  slots.push_back(buffer("centred_v"));
  nodes.push_back(kernel("center_values", "prologue", ceildiv(sym("M"), 64), sym("G"), 1, slots));
  return asStates(columnsOfBuffer("centred_v", /*isKey=*/true, program.valueDim, sym("M"), DType::f32, schedule.keys));
}

// dO W of all rows, or dO as it is.
PlanWriter::ColumnSource PlanWriter::linearGradientColumns(std::vector<PlanNode> &nodes) {
  if (program.weight.empty()) {
    ColumnSource source = columnsOf("do", /*isKey=*/false);
    source.name = "linear_do";
    return asStates(source);
  }
  Slots slots = rowsOfTensor("do");
  for (PlanSlot slot : Slots{tensor("q_len"), integer(sym("HKV")), integer(sym("R")), integer(sym("N")),
                             integer(sym("G0")), tensor(program.weight), buffer("packed_w"), buffer("linear_do")})
    slots.push_back(slot);
  nodes.push_back(kernel("project_gradient", "linear", ceildiv(sym("N"), 64), GR, 1, slots,
                         GR * sym("N") * (2 * program.valueDim * program.valueDim)));
  return asStates(
      columnsOfBuffer("linear_do", /*isKey=*/false, program.valueDim, sym("N"), DType::f32, schedule.queries));
}

PlanNode PlanWriter::weightGradient(const PackedColumns &gradient) {
  PlanSlot dw = tensor("d" + program.weight), db = program.bias.empty() ? null() : tensor("d" + program.bias);
  Slots slots{gradient.plain,
              buffer("linear"),
              integer(linearTM),
              integer(GR),
              integer(sym("G0")),
              dw,
              integer(Expr::symbol("d" + program.weight + ".0")),
              db};
  return kernel("weight_gradient", "linear", ceildiv(Expr(program.valueDim), 4), 1, 1, slots,
                GR * sym("N") * (2 * program.valueDim * program.valueDim) *
                    Expr::symbol("d" + program.weight + ".present"));
}

void PlanWriter::addLinearGradient(std::vector<PlanNode> &nodes, const PackedColumns &gradient) {
  addLinearGradientBuffers();
  PackedColumns v = packColumns(nodes, centredValues(nodes), /*transposed=*/true, /*plain=*/true);
  PackedColumns ofLinear = packColumns(nodes, linearGradientColumns(nodes), /*transposed=*/true, /*plain=*/true);

  PlanSlot dw = program.weight.empty() ? null() : tensor("d" + program.weight);
  Slots queries = rowsOfTensor("q"), keys = rowsOfTensor("k");
  addLinearSides(queries, /*isKey=*/false);
  addLinearSides(keys, /*isKey=*/true);
  Slots states = queries;
  for (PlanSlot slot : Slots{buffer("state"), buffer("state_z"), scalar(program.eps, 0), ofLinear.transposed,
                             buffer("mean_v"), buffer("inverses"), buffer("linear_sums"), buffer("linear_dq"),
                             program.weight.empty() ? null() : buffer("linear"), dw})
    queries.push_back(slot);
  for (PlanSlot slot : Slots{buffer("inverses"), buffer("linear_sums"), ofLinear.plain, buffer("h"), buffer("z")})
    states.push_back(slot);
  for (PlanSlot slot :
       Slots{buffer("state"), buffer("state_z"), v.transposed, buffer("linear_dk"), buffer("linear_dv")})
    keys.push_back(slot);

  Expr ofQueries = GR * sym("N") * sym("S") * (schedule.valueSlice * 2 * program.headDim);
  Expr ofKeys = sym("G") * sym("M") * sym("S") * (schedule.valueSlice * 2 * program.headDim);
  Expr products = program.weight.empty() ? Expr(1) : Expr(1) + Expr::symbol("d" + program.weight + ".present");
  Expr owners = program.globalState() ? sym("G") : GR;
  PlanNode byQueries, byKeys;
  byQueries.kind = byKeys.kind = PlanNode::Kind::slices;
  byQueries.body = {stateNode("centred_v_plain"), aggregateNode("aggregate", "h", "state", gradientKeyStates(), owners),
                    aggregateNode("aggregate_z", "z", "state_z", gradientKeyStates(), owners),
                    kernel("linear_queries", "linear", linearTM, GR, 1, queries, ofQueries * products)};
  byKeys.body = {kernel("state_gradient", "state", linearTM, GR, 1, states, ofQueries),
                 aggregateNode("aggregate_dh", "h", "state", queryStates(), GR),
                 aggregateNode("aggregate_dz", "z", "state_z", queryStates(), GR),
                 kernel("linear_keys", "linear", linearTN, sym("G"), 1, keys, ofKeys * 2)};
  nodes.push_back(std::move(byQueries));
  nodes.push_back(std::move(byKeys));
  if (!program.weight.empty())
    nodes.push_back(weightGradient(gradient));

  Expr unit = schedule.featureDim * schedule.valueSlice * 4, R = sym("R");
  Expr sums = program.globalState() ? R : R * most(linearTM, linearTN);
  plan.grouping.unitBytes = (most(linearTN, R * linearTM) + sums) * unit;
  plan.grouping.budgetBytes = sym("P") * sym("M") * (program.headDim * static_cast<int64_t>(dtypeSize(program.dtype)));
  plan.grouping.slices = schedule.slices();
}
