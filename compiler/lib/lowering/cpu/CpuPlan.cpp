// The stages of a CPU program over a group of (batch, KV head) pairs:
//
//   prologue   pack_keys, pool_queries              K, V -> f32 tiles and block means; Q -> block means
//   select     select | copy_classes, lists         classes, lists of critical tiles, lists of linear blocks
//   state      state, aggregate                     h_j, z_j per key block; H_i, Z_i per query block, in passes over slices
//   linear     linear                               O_l, f32
//   attend     CpuPlanAttend.cpp                    pools; O = O_s + O_l W^T + b, LSE; a stage per softmax
//
// Slots follow the structs of tercet/Builtins.h and the lists in CpuKernels.h.
#include "CpuPlanWriter.h"

using namespace tercet;
using namespace tercet::compiler;

void PlanWriter::addSignature() {
  static_cast<PlanSignature &>(plan) = signatureOf(spec, {.headDim = program.headDim,
                                                          .valueDim = program.valueDim,
                                                          .dtype = program.dtype,
                                                          .direction = program.direction});
}

void PlanWriter::addListBuffers() {
  addBuffer("attend_lists", GR * superRows * capacity, "critical tiles of super rows", sizeof(AttendEntry));
  addBuffer("attend_counts", GR * superRows, "lengths of the lists of critical tiles");
  if (program.gathersRows()) {
    addBuffer("takers", GR * superRows * TN * schedule.superRow, "rows that take the tiles of lists", 1);
    addBuffer("takers_at", GR * superRows * capacity * 2, "where those of an entry lie");
  }
}

void PlanWriter::addBuffers() {
  Expr G = sym("G");
  addBuffer("packed_k", G * tiles * (program.headDim * schedule.keyTile), "keys of a group as f32 tiles, transposed");
  addBuffer("packed_v", G * tiles * (schedule.keyTile * schedule.valueDim), "values of a group as f32 tiles");
  if (program.classified()) {
    if (needsKeyMeans())
      addBuffer("mean_k", G * meanTiles * (64 * program.headDim), "block means of keys");
    addSelectionBuffers();
    addRuleBuffers();
    addBuffer("classes", sym("B") * sym("H") * TM * TN, "class map", 1);
    addListBuffers();
  }
  if (program.means())
    addBuffer("mean_v", G * meanTiles * (64 * schedule.valueDim), "block means of values");
  if (program.linear)
    addLinearBuffers();
  if (!program.weight.empty()) {
    addBuffer("packed_w", program.valueDim * schedule.valueDim, "projection weight, transposed");
    addBuffer("packed_b", schedule.valueDim, "projection bias");
  }
}

bool PlanWriter::needsKeyMeans() const {
  return program.means() || (program.selection->scores == ScoreKind::pooled && !isSelectedAhead());
}

PlanWriter::KeySource PlanWriter::tokensOf(Expr pairs, Expr firstPair) {
  KeySource source{tensor("k"), tensor("v"), {},    lengthsOf(/*isKey=*/true),  sym("HKV"),
                   placesK,     firstPair,   pairs, tokenOrder(/*isKey=*/true), tokenCounts(/*isKey=*/true)};
  addStrides(source.strides, "k", 3);
  addStrides(source.strides, "v", 3);
  return source;
}

PlanNode PlanWriter::packKeys(const KeySource &source, const KeyTargets &targets) {
  Slots slots{source.k, source.v};
  slots.insert(slots.end(), source.strides.begin(), source.strides.end());
  for (PlanSlot slot : Slots{integer(static_cast<int64_t>(program.dtype)),
                             source.lengths,
                             integer(source.heads),
                             integer(source.tokens),
                             integer(program.headDim),
                             integer(program.valueDim),
                             integer(schedule.valueDim),
                             integer(source.firstPair),
                             integer(schedule.blockK),
                             integer(schedule.keyTile),
                             integer(schedule.keyPanel),
                             integer(schedule.valuePanel),
                             integer(tilesOf(source.tokens)),
                             integer(meanTiles),
                             targets.packedK,
                             targets.packedV,
                             targets.meanK,
                             targets.meanV,
                             source.order,
                             source.counts})
    slots.push_back(slot);
  return builtin("pack_keys", "prologue", ceildiv(source.tokens, schedule.blockK), source.pairs, slots);
}

Plan PlanWriter::write() {
  addSignature();
  addBuffers();
  addOrderTables();
  if (!program.weight.empty())
    plan.nodes.push_back(packWeight());
  for (const RangedTable &table : rangedTables())
    plan.nodes.push_back(tableRanges(table));
  PlanNode groups;
  groups.kind = PlanNode::Kind::groups;
  if (program.classified() && isSelectedAhead()) {
    if (program.selection->hasRules())
      plan.nodes.push_back(blockRules("all_rules", sym("P"), 0, /*givenToo=*/false));
    addClasses(plan.nodes);
  }
  groups.body.push_back(
      packKeys(tokensOf(sym("G"), sym("G0")), {buffer("packed_k"), buffer("packed_v"),
                                               program.classified() && needsKeyMeans() ? buffer("mean_k") : null(),
                                               program.means() ? buffer("mean_v") : null()}));
  if (packsAll())
    groups.body.push_back(packAll());
  if (program.classified()) {
    if (hasGroupRules())
      groups.body.push_back(blockRules("rules", sym("G"), sym("G0"), static_cast<bool>(program.selection->mask)));
    if (!isSelectedAhead())
      addClasses(groups.body);
    groups.body.push_back(copyClasses(/*fromArgument=*/true));
    groups.body.push_back(copyClasses(/*fromArgument=*/false));
    addLists(groups.body);
  }
  if (program.linear)
    groups.body.push_back(linearPass());
  for (size_t number = 0; number < program.attends.size(); ++number)
    addAttend(groups.body, number);
  plan.nodes.push_back(std::move(groups));

  plan.grouping.itemsPerPair = sym("R") * superRows;
  if (program.linear) { // h and H of a pass take at most the bytes of K
    Expr unit = schedule.featureDim * schedule.valueSlice * 4;
    plan.grouping.unitBytes = (program.globalState() ? TN + 1 : TN) * unit;
    plan.grouping.rowBytes = program.globalState() ? Expr(0) : sym("R") * unit;
    plan.grouping.rows = TM;
    plan.grouping.budgetBytes =
        sym("P") * sym("M") * (program.headDim * static_cast<int64_t>(dtypeSize(program.dtype)));
    plan.grouping.slices = schedule.slices();
  }
  return std::move(plan);
}

Plan compiler::buildCpuPlan(ir::SpecOp spec, const Program &program, const CpuSchedule &schedule) {
  return PlanWriter(spec, program, schedule).write();
}
