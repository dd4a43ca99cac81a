// The plan of a backward over a group of (batch, KV head) pairs:
//
//   prologue   pack_keys, gradient_rows         Q, K, V, dO -> f32 tiles, transposed and plain; what P and dS need of a row
//   lists      copy_classes, build_lists,       the forward's classes -> lists of key tiles by query rows, and of query
//              transpose_classes, build_lists   tiles by key rows
//   gradient   a kernel per pass (Gradient.h)   dQ; dK and dV
//
// Slots follow the structs of tercet/Builtins.h and GradientSlots of GradientBuilder.h.
#include "CpuPlanWriter.h"

#include "TableGradient.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

PlanNode PlanWriter::gradientRows(const std::string &prefix, const RowSource &source) {
  addBuffer(prefix + "shifts", GR * gradientRowsQ, "-lse log2 e of query rows");
  addBuffer(prefix + "rests", GR * gradientRowsQ, "what rounding left of the shifts");
  addBuffer(prefix + "sums", GR * gradientRowsQ, "sums of dO O of query rows");
  Slots slots;
  const Slots *tensors[] = {&source.o, &source.lse, &source.rest, &source.gradient};
  for (const Slots *tensor : tensors)
    slots.push_back(tensor->front());
  for (const Slots *tensor : tensors)
    slots.insert(slots.end(), tensor->begin() + 1, tensor->end());
  for (PlanSlot slot :
       Slots{integer(static_cast<int64_t>(source.dtype)), source.lengths, integer(source.headsKV), integer(sym("R")),
             integer(source.rows), integer(program.valueDim), integer(source.firstPair), integer(gradientRowsQ),
             integer(schedule.level != CpuLevel::portable), buffer(prefix + "shifts"), buffer(prefix + "rests"),
             buffer(prefix + "sums"), source.order})
    slots.push_back(slot);
  return builtin("gradient_rows", "prologue", ceildiv(gradientRowsQ, 64), GR, slots);
}

// The same class map with queries and keys exchanged, and lists of that. Small query blocks are columns together, as they are rows: the
// pass asks the class map which of them take part.
void PlanWriter::addTransposedLists(std::vector<PlanNode> &nodes) {
  int64_t together = schedule.blocksPerVisit();
  Expr runs = ceildiv(TM, together);
  addBuffer("classes_by_key", sym("B") * sym("H") * TN * runs, "class map, transposed", 1);
  addBuffer("key_lists", GR * superRowsK * tilesQ, "critical query tiles of super rows of keys", sizeof(AttendEntry));
  addBuffer("key_counts", GR * superRowsK, "lengths of these lists");
  auto transpose = [&](Slots slots, Expr headsKV, Expr firstPair, const char *into) {
    for (PlanSlot slot : Slots{integer(headsKV), integer(sym("R")), integer(firstPair), integer(TM), integer(TN),
                               buffer(into), integer(together), integer(std::string_view(into) == "rules_by_key")})
      slots.push_back(slot);
    nodes.push_back(builtin("transpose_classes", "select", ceildiv(TN, 64), GR, slots));
  };
  Slots classes;
  addClassPointer(classes);
  transpose(classes, sym("HKV"), sym("G0"), "classes_by_key");
  if (program.selection->mask) { // one batch entry of G pairs
    addBuffer("rules_by_key", GR * TN * runs, "what masks say of blocks, transposed", 1);
    transpose({buffer("rules"), null(), integer(TM * TN), integer(TN)}, sym("G"), 0, "rules_by_key");
  }
  Slots lists{
      buffer("classes_by_key"), integer(sym("H") * TN * runs), integer(TN * runs), integer(runs),    tensor("k_len"),
      tensor("q_len"),          integer(sym("HKV")),           integer(sym("R")),  integer(placesK), integer(placesQ)};
  for (PlanSlot slot :
       Slots{integer(sym("G0")), integer(schedule.blockK), integer(schedule.visitRows), integer(schedule.queries.tile),
             integer(TN), integer(runs), integer(schedule.keys.superRow / schedule.blockK), integer(1),
             integer(superRowsK), integer(tilesQ), null(), program.selection->mask ? buffer("rules_by_key") : null(),
             buffer("key_lists"), buffer("key_counts"), tokenCounts(/*isKey=*/false), null(), null()})
    lists.push_back(slot);
  nodes.push_back(builtin("build_lists", "select", superRowsK, GR, lists));
  if (!program.linear || program.globalState())
    return;
  Slots byKey{buffer("classes_by_key"), integer(sym("H") * TM * TN), integer(TM * TN), integer(TM)};
  nodes.push_back(linearSets(byKey, queryStates(), /*ofKeys=*/true));
}

// What a pass adds to, or goes on from; what it reads of classes.
void PlanWriter::addGradientInputs(Slots &slots, const GradientPass &pass) {
  if (program.linear) {
    slots.push_back(buffer(pass.ofKeys ? "linear_dk" : "linear_dq"));
    if (pass.ofKeys)
      slots.push_back(buffer("linear_dv"));
    slots.push_back(integer(pass.ofKeys ? linearTN * schedule.keys.packed : linearTM * schedule.queries.packed));
  }
  if (pass.addsToSums() || pass.stores) {
    slots.push_back(buffer(pass.ofKeys ? "sum_dk" : "sum_dq"));
    if (pass.ofKeys)
      slots.push_back(buffer("sum_dv"));
    slots.push_back(integer(sumRows(pass.ofKeys ? placesK : placesQ)));
  }
  if (pass.sharesSoftmax())
    slots.push_back(buffer(pass.rows->name + "_shares"));
  if (program.isFine() && pass.listed())
    addClassPointer(slots);
  if (program.isFine() && pass.listed() && pass.forward->gathersRows() && !pass.ofKeys)
    for (PlanSlot slot : Slots{buffer("takers"), buffer("takers_at"), integer(TN)})
      slots.push_back(slot);
  if (!pass.forward->means)
    return;
  slots.push_back(buffer(pass.ofKeys ? "mean_dk" : "mean_dq"));
  if (pass.ofKeys)
    slots.push_back(buffer("mean_dv"));
  slots.push_back(integer(pass.ofKeys ? TN * schedule.blockK : gradientRowsQ));
  if (!pass.ofKeys)
    slots.push_back(buffer("mean_shares"));
  if (pass.ofMeans)
    addClassPointer(slots);
}

// What a pass takes and gives: x, y, dx and of keys dy, as tensors of the call or rows of buffers.
void PlanWriter::addGradientTensors(Slots &slots, const GradientPass &pass) {
  int64_t d = program.headDim, dv = program.valueDim, widthX = CpuSchedule::padded(d), widthY = CpuSchedule::padded(dv);
  auto append = [&](Slots more) { slots.insert(slots.end(), more.begin(), more.end()); };
  auto ofCall = [&](const char *name) { append(rowsOfTensor(name)); };
  auto inBuffer = [&](const std::string &name, int64_t width, Expr rows) { append(rowsOfBuffer(name, rows, width)); };
  const std::string &stage = pass.forward->name;
  if (!pass.ofKeys) {
    Expr rows = pass.isSummed() ? pass.rows->rows(placesQ) : placesQ;
    if (pass.isPooled(/*keys=*/false))
      inBuffer(stage + "_q", d, rows);
    else
      ofCall("q");
    if (pass.isSummed())
      inBuffer(pass.rows->name + "_do", dv, rows);
    else
      ofCall("do");
    if (pass.ofTable)
      return;
    if (pass.ofMeans)
      return inBuffer("mean_dq", widthX, gradientRowsQ);
    if (pass.isPooled(/*keys=*/false))
      return inBuffer(stage + "_dq", widthX, sumRows(rows));
    return pass.isSummed() ? inBuffer("sum_dq", widthX, sumRows(placesQ)) : ofCall("dq");
  }
  if (pass.ofMeans) {
    inBuffer("mean_k", d, TN);
    inBuffer("mean_v", dv, TN);
    inBuffer("mean_dk", widthX, TN * schedule.blockK);
    return inBuffer("mean_dv", widthY, TN * schedule.blockK);
  }
  if (pass.isPooled(/*keys=*/true)) {
    Expr pools = pass.forward->keys(placesK);
    inBuffer(stage + "_k", d, pools);
    inBuffer(stage + "_v", dv, pools);
    inBuffer(stage + "_dk", widthX, sumRows(pools));
    return inBuffer(stage + "_dv", widthY, sumRows(pools));
  }
  ofCall("k");
  ofCall("v");
  if (pass.isSummed()) {
    inBuffer("sum_dk", widthX, sumRows(placesK));
    return inBuffer("sum_dv", widthY, sumRows(placesK));
  }
  ofCall("dk");
  ofCall("dv");
}

PlanNode PlanWriter::gradientPass(const GradientPass &pass, const PackedColumns &x, const PackedColumns &y) {
  bool hasMeans = pass.ofKeys && pass.ofMeans;
  const GradientSide &rows = hasMeans || pass.hasPooledRows() ? schedule.means
                             : pass.ofKeys                    ? schedule.keys
                                                              : schedule.queries;
  Expr tokens = pass.ofKeys ? placesK : placesQ, owners = pass.ofKeys ? sym("G") : GR;
  Expr pools = pass.ofKeys ? pass.forward->keys(tokens) : pass.forward->rows(tokens);
  Expr count = ceildiv(hasMeans ? TN : pass.hasPooledRows() ? pools : tokens, rows.superRow);
  std::string prefix = pass.rows ? pass.rows->name + "_" : "";
  auto ofRows = [&](const char *name) { return pass.forward->exact && !pass.stores ? buffer(prefix + name) : null(); };
  Slots slots;
  addGradientTensors(slots, pass);
  for (PlanSlot slot : Slots{tensor(pass.ofKeys ? "k_len" : "q_len"),
                             tensor(pass.ofKeys ? "q_len" : "k_len"),
                             integer(sym("HKV")),
                             integer(sym("R")),
                             integer(tokens),
                             integer(pass.ofKeys ? placesQ : placesK),
                             integer(sym("G0")),
                             x.transposed,
                             x.plain,
                             y.transposed,
                             pass.ofKeys ? y.plain : null(),
                             integer(x.tiles),
                             ofRows("shifts"),
                             ofRows("rests"),
                             ofRows("sums"),
                             integer(gradientRowsQ),
                             !pass.listed() ? null() : buffer(pass.ofKeys ? "key_lists" : "attend_lists"),
                             !pass.listed() ? null() : buffer(pass.ofKeys ? "key_counts" : "attend_counts"),
                             integer(pass.ofKeys ? tilesQ : capacity),
                             integer(count),
                             scalar(pass.forward->scale, defaultScale())})
    slots.push_back(slot);
  addGradientInputs(slots, pass);
  addOrder(slots, pass.ofKeys);
  addOrder(slots, !pass.ofKeys);
  addPairOperands(slots, pass.forward->pairOperands());
  addRanges(slots, pass.listed() ? nullptr : pass.forward->mask);
  addTableShares(slots, pass);
  Expr items = count;
  if (pass.ofTable) {
    const TableShares &shares = pass.tables.front();
    items = ceildiv(count, superRowsPerStrip(shares));
    owners = shares.kind == TableShares::Kind::owned ? Expr(1) : GR;
  }
  return kernel(pass.name, "gradient", items, owners, 1, slots,
                pass.flops(sym("N"), sym("M"), program, schedule.blockQ, schedule.blockK));
}

// One softmax over tokens, with block means or without, one linear branch, or both.
void PlanWriter::addTokenPasses(std::vector<PlanNode> &nodes, ArrayRef<GradientPass> passes) {
  bool exact = passes.front().forward->exact;
  PackedColumns q, k, v, meanK, meanV;
  PackedColumns gradient = packColumns(nodes, columnsOf("do", /*isKey=*/false), /*transposed=*/exact, /*plain=*/true);
  if (exact) {
    q = packColumns(nodes, columnsOf("q", /*isKey=*/false), /*transposed=*/true, /*plain=*/true);
    k = packColumns(nodes, columnsOf("k", /*isKey=*/true), /*transposed=*/true, /*plain=*/true);
    v = packColumns(nodes, columnsOf("v", /*isKey=*/true), /*transposed=*/true, /*plain=*/false);
    nodes.push_back(gradientRows("", {rowsOfTensor("o"), rowsOfTensor("lse"), rowsOfTensor("lse_rest"),
                                      rowsOfTensor("do"), program.dtype, tensor("q_len"), sym("HKV"), placesQ,
                                      sym("G0"), tokenOrder(/*isKey=*/false)}));
  } else {
    q = k = v = {null(), null(), 0};
  }
  if (program.linear)
    addLinearGradient(nodes, gradient);
  if (program.means()) {
    meanK = packMeans(nodes, "k", /*plain=*/true);
    meanV = packMeans(nodes, "v", /*plain=*/false);
    Expr rowsK = sym("G") * TN * schedule.blockK;
    addBuffer("mean_dq", GR * gradientRowsQ * CpuSchedule::padded(program.headDim), "sums of dQ over block means");
    addBuffer("mean_shares", GR * gradientRowsQ, "sums of P over block means");
    addBuffer("mean_dk", rowsK * CpuSchedule::padded(program.headDim), "sums of dK by means, for their tokens");
    addBuffer("mean_dv", rowsK * CpuSchedule::padded(program.valueDim), "sums of dV by means, for their tokens");
  }
  for (const GradientPass &pass : passes)
    nodes.push_back(pass.ofKeys    ? gradientPass(pass, q, gradient)
                    : pass.ofMeans ? gradientPass(pass, meanK, meanV)
                                   : gradientPass(pass, k, v));
}

Plan PlanWriter::writeGradient(ArrayRef<GradientPass> passes) {
  regionTables = differentiatedTables(passes);
  addSignature();
  addTableGradients();
  addOrderTables();
  for (const RangedTable &table : rangedTables())
    plan.nodes.push_back(tableRanges(table));
  if (!program.weight.empty())
    plan.nodes.push_back(packWeight(/*transposed=*/false));
  addTableClears(plan.nodes);
  PlanNode groups;
  groups.kind = PlanNode::Kind::groups;
  if (program.classified()) {
    addBuffer("classes", sym("B") * sym("H") * TM * TN, "class map", 1);
    addListBuffers();
    if (program.selection->mask) {
      addBuffer("rules", GR * TM * TN, "what masks say of blocks", 1);
      groups.body.push_back(blockRules("rules", sym("G"), sym("G0"), /*givenToo=*/true));
    }
    groups.body.push_back(copyClasses(/*fromArgument=*/true));
    addLists(groups.body);
    addTransposedLists(groups.body);
  }
  if (passes.front().isBranch)
    addBranches(groups.body, passes);
  else
    addTokenPasses(groups.body, passes);
  addTableSums(groups.body, passes);
  plan.nodes.push_back(std::move(groups));
  addPoolWeightSums(plan.nodes);
  plan.grouping.itemsPerPair = sym("R") * ceildiv(sym("N"), schedule.queries.superRow);
  return std::move(plan);
}

Plan compiler::buildCpuGradientPlan(ir::SpecOp spec, const Program &program, ArrayRef<GradientPass> passes,
                                    const CpuSchedule &schedule) {
  return PlanWriter(spec, program, schedule).writeGradient(passes);
}
