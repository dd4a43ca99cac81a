// What a CPU plan makes of a group's classes: the resolved map, lists of tiles, and linear sets.
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

PlanSlot PlanWriter::maskRules() { return program.selection->mask ? buffer("rules") : null(); }

PlanNode PlanWriter::copyClasses(bool fromArgument) {
  Slots slots;
  if (fromArgument) {
    slots = {tensor("classes"),
             integer(Expr::symbol("classes.0")),
             integer(Expr::symbol("classes.1")),
             integer(Expr::symbol("classes.2")),
             integer(Expr::symbol("classes.3")),
             maskRules()};
    addClassPointer(slots);
  } else { // resolved already
    addClassPointer(slots);
    slots.push_back(integer(1));
    slots.push_back(null());
    slots.push_back(tensor("classes_out"));
    addStrides(slots, "classes_out", 3);
  }
  addCallSizes(slots);
  for (PlanSlot slot :
       Slots{integer(sym("G0")), integer(schedule.blockQ), integer(schedule.blockK), integer(TM), integer(TN)})
    slots.push_back(slot);
  return builtin("copy_classes", "select", GR * Expr::symbol(fromArgument ? "classes.present" : "classes_out.present"),
                 1, slots);
}

void PlanWriter::addLists(std::vector<PlanNode> &body) {
  Slots lists;
  addClassPointer(lists);
  addCallSizes(lists);
  for (PlanSlot slot :
       Slots{integer(sym("G0")), integer(schedule.blockQ), integer(schedule.blockK), integer(schedule.keyTile),
             integer(TM), integer(TN), integer(schedule.visitsPerRow()), integer(schedule.blocksPerVisit()),
             integer(superRows), integer(capacity),
             integer(program.listsMeans() && program.direction != Direction::backward), maskRules(),
             buffer("attend_lists"), buffer("attend_counts"), tokenCounts(/*isKey=*/true),
             program.gathersRows() ? buffer("takers") : null(), program.gathersRows() ? buffer("takers_at") : null()})
    lists.push_back(slot);
  body.push_back(builtin("build_lists", "select", superRows, GR, lists));
  if (!program.linear || program.globalState())
    return;
  Slots classes;
  addClassPointer(classes);
  body.push_back(linearSets(classes, keyStates(), /*ofKeys=*/false));
  body.push_back(builtin("linear_used", "select", sym("G"), 1,
                         {buffer("linear_counts"), integer(sym("R") * TM), buffer("linear_used")}));
}

// Which blocks' states the blocks of the other side sum. ofKeys: `classes` are transposed.
PlanNode PlanWriter::linearSets(Slots classes, const StateSums &sums, bool ofKeys) {
  Slots slots = std::move(classes);
  if (ofKeys)
    slots.insert(slots.end(), {tensor("k_len"), tensor("q_len"), integer(sym("HKV")), integer(sym("R")),
                               integer(placesK), integer(placesQ)});
  else
    addCallSizes(slots);
  PlanSlot rules = !program.selection->mask ? null() : buffer(ofKeys ? "rules_by_key" : "rules");
  for (PlanSlot slot :
       Slots{integer(sym("G0")), integer(ofKeys ? schedule.blockK : schedule.blockQ),
             integer(ofKeys ? schedule.blockQ : schedule.blockK), integer(sums.rowBlocks), integer(sums.columnBlocks),
             rules, integer(static_cast<int64_t>(program.over)), integer(sums.subset), buffer(sums.sets + "_lists"),
             buffer(sums.sets + "_counts"), buffer(sums.sets + "_patterns")})
    slots.push_back(slot);
  return builtin("linear_sets", "select", sums.rowBlocks, GR, slots);
}
