// The select stage of a CPU plan: means of query blocks, classes (selected or handed in), lists of tiles and of linear
// blocks.
#include "CpuPlanWriter.h"

using namespace tercet;
using namespace tercet::compiler;

// Base and strides of the class map of the whole call.
void PlanWriter::addClassPointer(Slots &slots) {
  slots.push_back(buffer("classes"));
  slots.push_back(integer(sym("H") * TM * TN));
  slots.push_back(integer(TM * TN));
  slots.push_back(integer(TN));
}

PlanNode PlanWriter::copyClasses(bool fromArgument) {
  Slots slots;
  if (fromArgument) {
    slots = {tensor("classes"), integer(Expr::symbol("classes.0")), integer(Expr::symbol("classes.1")),
             integer(Expr::symbol("classes.2")), integer(Expr::symbol("classes.3"))};
    addClassPointer(slots);
  } else {
    addClassPointer(slots);
    slots.push_back(integer(1));
    slots.push_back(tensor("classes_out"));
    addStrides(slots, "classes_out", 3);
  }
  for (PlanSlot slot : Slots{tensor("q_len"), tensor("k_len"), integer(sym("HKV")), integer(sym("R")),
                             integer(sym("N")), integer(sym("M")), integer(sym("G0")), integer(schedule.blockQ),
                             integer(schedule.blockK), integer(TM), integer(TN)})
    slots.push_back(slot);
  return builtin("copy_classes", "select", GR * Expr::symbol(fromArgument ? "classes.present" : "classes_out.present"),
                 1, slots);
}

void PlanWriter::addSelection(std::vector<PlanNode> &body) {
  Expr absent = Expr(1) - Expr::symbol("classes.present");
  Slots pool{tensor("q")};
  addStrides(pool, "q", 3);
  for (PlanSlot slot : Slots{integer(static_cast<int64_t>(program.dtype)), tensor("q_len"), integer(sym("HKV")),
                             integer(sym("R")), integer(sym("N")), integer(program.headDim), integer(sym("G0")),
                             integer(schedule.blockQ), integer(TM), buffer("mean_q")})
    pool.push_back(slot);
  body.push_back(builtin("pool_queries", "select", absent * TM, GR, pool));

  const Selection &select = *program.selection;
  auto parameter = [&](const std::string &name, int64_t otherwise) {
    return integer(name.empty() ? Expr(otherwise) : Expr::symbol("param." + name));
  };
  Slots slots{buffer("mean_q"), buffer("mean_k")};
  addClassPointer(slots);
  for (PlanSlot slot : Slots{tensor("q_len"),
                             tensor("k_len"),
                             integer(sym("HKV")),
                             integer(sym("R")),
                             integer(sym("N")),
                             integer(sym("M")),
                             integer(program.headDim),
                             integer(sym("G0")),
                             integer(schedule.blockQ),
                             integer(schedule.blockK),
                             integer(TM),
                             integer(TN),
                             integer(meanTiles),
                             scalar(program.scale, defaultScale()),
                             scalar(select.keep, 0),
                             scalar(select.drop, 0),
                             integer(select.keepRule == KeepRule::count),
                             integer(select.dropIsCount),
                             integer(static_cast<int64_t>(select.countRule)),
                             parameter(select.minKeep, 1),
                             parameter(select.sink, 0),
                             integer(select.diagonal),
                             integer(select.forcedCounts)})
    slots.push_back(slot);
  body.push_back(builtin("select", "select", absent * ceildiv(TM, 64), GR, slots));
  body.back().kernels = {"scores"};
  body.push_back(copyClasses(/*fromArgument=*/true));
  body.push_back(copyClasses(/*fromArgument=*/false));

  Slots lists;
  addClassPointer(lists);
  for (PlanSlot slot :
       Slots{tensor("q_len"), tensor("k_len"), integer(sym("HKV")), integer(sym("R")), integer(sym("N")),
             integer(sym("M")), integer(sym("G0")), integer(schedule.blockQ), integer(schedule.blockK),
             integer(schedule.keyTile), integer(TM), integer(TN), integer(schedule.blocksPerRow()), integer(superRows),
             integer(capacity), integer(program.means), buffer("attend_lists"), buffer("attend_counts")})
    lists.push_back(slot);
  body.push_back(builtin("build_lists", "select", superRows, GR, lists));
  if (!program.linear || program.globalState())
    return;
  Slots linear;
  addClassPointer(linear);
  for (PlanSlot slot :
       Slots{tensor("q_len"), tensor("k_len"), integer(sym("HKV")), integer(sym("R")), integer(sym("N")),
             integer(sym("M")), integer(sym("G0")), integer(schedule.blockQ), integer(schedule.blockK), integer(TM),
             integer(TN), integer(program.over == LinearOver::nonCritical), integer(subset), buffer("linear_lists"),
             buffer("linear_counts"), buffer("linear_patterns")})
    linear.push_back(slot);
  body.push_back(builtin("linear_sets", "select", TM, GR, linear));
  body.push_back(builtin("linear_used", "select", sym("G"), 1,
                         {buffer("linear_counts"), integer(sym("R") * TM), buffer("linear_used")}));
}
