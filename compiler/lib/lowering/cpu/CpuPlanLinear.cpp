// The linear branch in a CPU plan: states of key blocks, their sums for query blocks, and what queries make of these. Slots
// follow the lists in CpuKernels.h.
#include "CpuPlanWriter.h"

using namespace tercet;
using namespace tercet::compiler;

PlanWriter::StateSums PlanWriter::keyStates() const {
  return {"linear", lengthsOf(/*isKey=*/true), placesK, TM, TN, stateRows, firstRow, subset};
}

void PlanWriter::addLinearSetBuffers(const StateSums &sums) {
  addBuffer(sums.sets + "_lists", GR * sums.rowBlocks * sums.columnBlocks,
            "linear sets of blocks, where these are few");
  addBuffer(sums.sets + "_patterns", GR * sums.rowBlocks * ceildiv(sums.columnBlocks, schedule.subsetBlocks),
            "linear sets of blocks as bits", 1);
  addBuffer(sums.sets + "_counts", GR * sums.rowBlocks, "sizes of the linear sets");
}

void PlanWriter::addLinearBuffers() {
  Expr state = sym("S") * (schedule.featureDim * schedule.valueSlice);
  addBuffer("h", sym("G") * TN * state, "states of key blocks, one pass of slices");
  addBuffer("z", sym("G") * TN * schedule.featureDim, "normalisers of key blocks");
  addBuffer("state", stateOwners * stateRows * state, "states of query blocks, one pass of slices");
  addBuffer("state_z", stateOwners * stateRows * schedule.featureDim, "normalisers of query blocks");
  addBuffer("linear", GR * TM * (schedule.blockQ * schedule.valueDim), "linear branch of a group");
  if (program.globalState())
    return;
  addLinearSetBuffers(keyStates());
  addBuffer("linear_used", sym("G"), "which pairs have linear sets at all");
}

PlanNode PlanWriter::packWeight(bool transposed) {
  Expr rows = Expr::symbol(program.weight + ".0"), columns = Expr::symbol(program.weight + ".1");
  bool hasBias = transposed; // a backward takes W alone
  Slots slots{tensor(program.weight),
              hasBias ? tensor(program.bias) : null(),
              integer(Expr::symbol(program.weight + ".dtype")),
              hasBias ? integer(Expr::symbol(program.bias + ".dtype")) : null(),
              integer(transposed ? rows : columns),
              integer(transposed ? columns : rows),
              hasBias ? integer(Expr::symbol(program.bias + ".0")) : null(),
              integer(program.valueDim),
              integer(schedule.valueDim),
              buffer("packed_w"),
              hasBias ? buffer("packed_b") : null()};
  return builtin("pack_weight", "prologue", 1, 1, slots);
}

PlanNode PlanWriter::stateNode(const char *values) {
  Slots state{tensor("k")};
  addStrides(state, "k", 3);
  for (PlanSlot slot : Slots{lengthsOf(/*isKey=*/true), integer(sym("HKV")), integer(placesK), integer(sym("G0")),
                             buffer(values), integer(tiles), buffer("h"), buffer("z"), integer(TN), integer(sym("S")),
                             integer(sym("S0")), program.globalState() ? null() : buffer("linear_used")})
    state.push_back(slot);
  addOrder(state, /*isKey=*/true);
  Expr flops = sym("G") * sym("M") * sym("S") * (schedule.valueSlice * 2 * program.headDim);
  return kernel("state", "state", TN, sym("G"), 1, state, flops);
}

// The kernel of normalisers is named as its callee says, and takes no slices.
PlanNode PlanWriter::aggregateNode(const char *callee, const char *from, const char *to, const StateSums &sums,
                                   Expr owners) {
  bool sets = !program.globalState(), inSlices = !std::string_view(callee).ends_with("z");
  auto ofSets = [&](const char *suffix) { return sets ? buffer(sums.sets + suffix) : null(); };
  Slots slots{buffer(from),
              buffer(to),
              ofSets("_lists"),
              ofSets("_counts"),
              ofSets("_patterns"),
              sets ? buffer("linear_used") : null(),
              sums.lengths,
              integer(sym("HKV")),
              integer(sym("R")),
              integer(sums.tokens),
              integer(sym("G0")),
              integer(sums.rowBlocks),
              integer(sums.columnBlocks),
              integer(sym("S")),
              integer(sums.rows),
              integer(sums.firstRow),
              integer(sums.subset)};
  return kernel(callee, "aggregate", inSlices ? schedule.chunks() : 1, inSlices ? sym("S") : Expr(1), owners, slots);
}

PlanNode PlanWriter::linearPass() {
  Expr S = sym("S"), S0 = sym("S0"), width = Expr(schedule.valueSlice);
  Slots linear{tensor("q")};
  addStrides(linear, "q", 3);
  for (PlanSlot slot :
       Slots{lengthsOf(/*isKey=*/false), integer(sym("HKV")), integer(sym("R")), integer(placesQ), integer(sym("G0")),
             buffer("state"), buffer("state_z"), buffer("linear"), integer(TM), integer(stateRows), integer(firstRow),
             integer(S), integer(S0), scalar(program.eps, 0), program.globalState() ? null() : buffer("linear_counts")})
    linear.push_back(slot);
  addOrder(linear, /*isKey=*/false);

  // A global state is made once per pass of slices; others block by block, as many as the memory for them holds.
  Expr rows = Expr::apply(Expr::Op::min, sym("I") * schedule.blockQ, placesQ - sym("I0") * schedule.blockQ);
  PlanNode perRows;
  perRows.kind = PlanNode::Kind::rows;
  perRows.body = {aggregateNode("aggregate", "h", "state", keyStates(), stateOwners),
                  aggregateNode("aggregate_z", "z", "state_z", keyStates(), stateOwners),
                  kernel("linear", "linear", sym("I"), GR, 1, linear, GR * rows * S * width * (2 * program.headDim))};
  PlanNode pass;
  pass.kind = PlanNode::Kind::slices;
  pass.body = {stateNode("packed_v"), std::move(perRows)};
  return pass;
}
