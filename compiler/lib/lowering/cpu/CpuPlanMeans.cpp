// A stage of block means by means of queries, and its gradients: builtins, for there are as few of these pairs as of blocks.
#include "CpuPlanWriter.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

// MeanPairsSlots of tercet/Builtins.h.
PlanWriter::Slots PlanWriter::meanPairs(const AttendStage &stage) {
  Slots slots;
  addClassPointer(slots);
  for (PlanSlot slot :
       Slots{lengthsOf(/*isKey=*/true), integer(sym("HKV")), integer(sym("R")), integer(placesK), integer(sym("G0")),
             integer(schedule.blockK), integer(TM), integer(TN), integer(meanTiles), integer(program.headDim),
             integer(schedule.valueDim), scalar(stage.scale, defaultScale()), buffer(stage.name + "_q"),
             buffer("mean_k"), buffer("mean_v"), tokenCounts(/*isKey=*/true)})
    slots.push_back(slot);
  return slots;
}

void PlanWriter::addMeanStage(std::vector<PlanNode> &nodes, const AttendStage &stage) {
  addBuffer(stage.name + "_q", GR * TM * program.headDim, "block means of queries for " + stage.name);
  addStageBuffers(stage);
  nodes.push_back(poolQueries(stage.name + "_q", sym("G"), sym("G0")));
  nodes.back().stage = "prologue";
  Slots slots = meanPairs(stage);
  slots.push_back(buffer(stage.name + "_o"));
  slots.push_back(buffer(stage.name + "_state"));
  nodes.push_back(builtin("attend_means", "attend", TM, GR, slots));
  nodes.back().flops =
      stage.exactFlops(placesQ, placesK, schedule.blockQ, schedule.blockK, program.headDim, program.valueDim);
}

// passes: by queries and by keys.
void PlanWriter::addMeanGradients(std::vector<PlanNode> &nodes, ArrayRef<GradientPass> passes) {
  const AttendStage &stage = *passes[0].forward;
  const std::string rows = passes[0].prefixOfRows(), name = stage.name;
  int64_t widthK = CpuSchedule::padded(program.headDim), widthV = CpuSchedule::padded(program.valueDim);
  Expr rowsQ = sumRows(TM), rowsK = sumRows(TN);
  addBuffer(name + "_rows", GR * TM * program.valueDim, "gradients of outputs, by query blocks");
  addBuffer(name + "_row_states", GR * TM * 2, "shifts and sums of query blocks", 8);
  addBuffer(name + "_dq", GR * rowsQ * widthK, "gradients of means of queries");
  addBuffer(name + "_dk", sym("G") * rowsK * widthK, "gradients of means of keys");
  addBuffer(name + "_dv", sym("G") * rowsK * widthV, "gradients of means of values");
  nodes.push_back(builtin("mean_rows", "prologue", TM, GR,
                          {buffer(rows + "shifts"), buffer(rows + "rests"), buffer(rows + "sums"), buffer(rows + "do"),
                           integer(placesQ), integer(gradientRowsQ), integer(program.valueDim),
                           integer(schedule.blockQ), integer(TM), buffer(name + "_rows"), buffer(name + "_row_states"),
                           buffer(name + "_state"), buffer(rows + "shares")}));
  Slots slots = meanPairs(stage);
  for (PlanSlot slot : Slots{buffer(name + "_rows"), buffer(name + "_row_states"), integer(program.valueDim),
                             integer(rowsQ), integer(rowsK), integer(widthK), integer(widthV), buffer(name + "_dq"),
                             buffer(name + "_dk"), buffer(name + "_dv")})
    slots.push_back(slot);
  for (const GradientPass &pass : passes.take_front(2)) {
    nodes.push_back(builtin(pass.ofKeys ? "mean_key_gradient" : "mean_query_gradient", "gradient",
                            pass.ofKeys ? TN : TM, pass.ofKeys ? sym("G") : GR, slots));
    nodes.back().flops = pass.flops(placesQ, placesK, program, schedule.blockQ, schedule.blockK);
    if (!pass.ofKeys)
      nodes.push_back(spreadPools(stage, "dq", pass.adds));
    else
      for (const char *gradient : {"dk", "dv"})
        nodes.push_back(spreadPools(stage, gradient, pass.adds));
  }
}
