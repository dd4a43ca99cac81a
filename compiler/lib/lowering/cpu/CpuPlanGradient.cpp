// The plan of a backward over a group of (batch, KV head) pairs:
//
//   prologue   pack_keys, gradient_rows         Q, K, V, dO -> f32 tiles, transposed and plain; what P and dS need of a row
//   lists      copy_classes, build_lists,       the forward's classes -> lists of key tiles by query rows, and of query
//              transpose_classes, build_lists   tiles by key rows
//   gradient   a kernel per pass (Gradient.h)   dQ; dK and dV
//
// Slots follow the structs of tercet/Builtins.h and GradientSlots of GradientBuilder.h.
#include "CpuPlanWriter.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

PlanWriter::ColumnSource PlanWriter::columnsOf(const char *name, bool isKey) {
  std::string base(name);
  int64_t dim = base == "v" || base == "do" ? program.valueDim : program.headDim, width = CpuSchedule::padded(dim);
  ColumnSource source{.name = base, .isKey = isKey, .dim = dim, .tokens = tensor(base)};
  addStrides(source.strides, base, 3);
  source.dtype = program.dtype;
  source.lengths = tensor(isKey ? "k_len" : "q_len");
  source.heads = sym(isKey ? "HKV" : "H");
  source.firstHead = isKey ? sym("G0") : sym("G0") * sym("R");
  source.width = width;
  source.panel = schedule.plainPanel(width);
  source.count = isKey ? placesK : placesQ;
  source.order = tokenOrder(isKey);
  source.tokenCounts = tokenCounts(isKey);
  source.side = isKey ? schedule.keys : schedule.queries;
  return source;
}

// Columns of the other side's pass: tiles transposed, and plain where gradients are multiplied with them.
PlanWriter::PackedColumns PlanWriter::packColumns(std::vector<PlanNode> &nodes, const ColumnSource &source,
                                                  bool transposed, bool plain) {
  const GradientSide &side = source.side;
  Expr tokens = source.count, owners = source.isKey ? sym("G") : GR;
  Expr count = ceildiv(tokens, side.packed) * (side.packed / side.tile);
  PackedColumns columns{transposed ? buffer(source.name + "_transposed") : null(),
                        plain ? buffer(source.name + "_plain") : null(), count};
  if (transposed)
    addBuffer(columns.transposed.name, owners * count * (source.dim * side.tile),
              source.name + " of a group as f32 tiles, transposed");
  if (plain)
    addBuffer(columns.plain.name, owners * count * (side.tile * source.width),
              source.name + " of a group as f32 tiles");
  Slots slots{source.tokens, source.tokens};
  slots.insert(slots.end(), source.strides.begin(), source.strides.end());
  slots.insert(slots.end(), source.strides.begin(), source.strides.end());
  for (PlanSlot slot : Slots{integer(static_cast<int64_t>(source.dtype)),
                             source.lengths,
                             integer(source.heads),
                             integer(tokens),
                             integer(source.dim),
                             integer(source.dim),
                             integer(source.width),
                             integer(source.firstHead),
                             integer(side.packed),
                             integer(side.tile),
                             integer(schedule.inPanels ? schedule.keyPanel : side.tile),
                             integer(source.panel),
                             integer(count),
                             null(),
                             columns.transposed,
                             columns.plain,
                             null(),
                             null(),
                             source.order,
                             source.tokenCounts})
    slots.push_back(slot);
  nodes.push_back(builtin("pack_keys", "prologue", ceildiv(tokens, side.packed), owners, slots));
  return columns;
}

PlanNode PlanWriter::gradientRows() {
  addBuffer("shifts", GR * gradientRowsQ, "-lse log2 e of query rows");
  addBuffer("rests", GR * gradientRowsQ, "what rounding left of the shifts");
  addBuffer("sums", GR * gradientRowsQ, "sums of dO O of query rows");
  Slots slots{tensor("o"), tensor("lse"), tensor("lse_rest"), tensor("do")};
  for (const char *name : {"o", "lse", "lse_rest", "do"})
    addStrides(slots, name, 3);
  for (PlanSlot slot : Slots{integer(static_cast<int64_t>(program.dtype)), tensor("q_len"), integer(sym("HKV")),
                             integer(sym("R")), integer(placesQ), integer(program.valueDim), integer(sym("G0")),
                             integer(gradientRowsQ), integer(schedule.level != CpuLevel::portable), buffer("shifts"),
                             buffer("rests"), buffer("sums"), tokenOrder(/*isKey=*/false)})
    slots.push_back(slot);
  return builtin("gradient_rows", "prologue", ceildiv(gradientRowsQ, 64), GR, slots);
}

// The same class map with queries and keys exchanged, and lists of that.
void PlanWriter::addTransposedLists(std::vector<PlanNode> &nodes) {
  addBuffer("classes_by_key", sym("B") * sym("H") * TM * TN, "class map, transposed", 1);
  addBuffer("key_lists", GR * superRowsK * tilesQ, "critical query tiles of super rows of keys", sizeof(AttendEntry));
  addBuffer("key_counts", GR * superRowsK, "lengths of these lists");
  auto transpose = [&](Slots slots, Expr headsKV, Expr firstPair, const char *into) {
    for (PlanSlot slot :
         Slots{integer(headsKV), integer(sym("R")), integer(firstPair), integer(TM), integer(TN), buffer(into)})
      slots.push_back(slot);
    nodes.push_back(builtin("transpose_classes", "select", ceildiv(TN, 64), GR, slots));
  };
  Slots classes;
  addClassPointer(classes);
  transpose(classes, sym("HKV"), sym("G0"), "classes_by_key");
  if (program.selection->mask) { // one batch entry of G pairs
    addBuffer("rules_by_key", GR * TM * TN, "what masks say of blocks, transposed", 1);
    transpose({buffer("rules"), null(), integer(TM * TN), integer(TN)}, sym("G"), 0, "rules_by_key");
  }
  Slots lists{
      buffer("classes_by_key"), integer(sym("H") * TM * TN), integer(TM * TN),  integer(TM),      tensor("k_len"),
      tensor("q_len"),          integer(sym("HKV")),         integer(sym("R")), integer(placesK), integer(placesQ)};
  for (PlanSlot slot :
       Slots{integer(sym("G0")), integer(schedule.blockK), integer(schedule.blockQ), integer(schedule.queries.tile),
             integer(TN), integer(TM), integer(schedule.keys.superRow / schedule.blockK), integer(superRowsK),
             integer(tilesQ), null(), program.selection->mask ? buffer("rules_by_key") : null(), buffer("key_lists"),
             buffer("key_counts"), tokenCounts(/*isKey=*/false)})
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

// Means of key blocks as rows, and as columns of queries.
PlanWriter::PackedColumns PlanWriter::packMeans(std::vector<PlanNode> &nodes, const char *name, bool plain) {
  std::string base = std::string("mean_") + name;
  ColumnSource source = columnsOf(name, /*isKey=*/true);
  addBuffer(base, sym("G") * TN * source.dim, "block means of " + std::string(name));
  Slots slots{tensor(name)};
  addStrides(slots, name, 3);
  for (PlanSlot slot : Slots{integer(static_cast<int64_t>(program.dtype)), tensor("k_len"), integer(sym("HKV")),
                             integer(1), integer(sym("M")), integer(source.dim), integer(sym("G0")),
                             integer(schedule.blockK), integer(TN), buffer(base), null(), null()})
    slots.push_back(slot);
  nodes.push_back(builtin("pool_queries", "prologue", TN, sym("G"), slots));
  source.name = base;
  source.tokens = buffer(base); // one batch entry of all pairs of the group
  source.strides = {null(), integer(TN * source.dim), integer(source.dim)};
  source.dtype = DType::f32;
  source.lengths = null();
  source.heads = sym("G");
  source.firstHead = 0;
  source.count = TN;
  source.side = schedule.means;
  return packColumns(nodes, source, /*transposed=*/true, plain);
}

PlanNode PlanWriter::gradientPass(const GradientPass &pass, const PackedColumns &x, const PackedColumns &y) {
  const GradientSide &rows = !pass.ofKeys ? schedule.queries : pass.ofMeans ? schedule.means : schedule.keys;
  Expr tokens = pass.ofKeys ? placesK : placesQ, owners = pass.ofKeys ? sym("G") : GR;
  Expr count = ceildiv(pass.ofMeans && pass.ofKeys ? TN : tokens, rows.superRow);
  auto ofRows = [&](const char *name) { return pass.forward->exact ? buffer(name) : null(); };
  Slots slots;
  auto addTensors = [&](std::initializer_list<const char *> names) {
    for (const char *name : names) {
      slots.push_back(tensor(name));
      addStrides(slots, name, 3);
    }
  };
  auto addBuffers = [&](std::initializer_list<std::pair<const char *, int64_t>> names, Expr rows) {
    for (auto [name, width] : names)
      for (PlanSlot slot : Slots{buffer(name), null(), integer(rows * width), integer(width)})
        slots.push_back(slot);
  };
  int64_t d = program.headDim, dv = program.valueDim, widthX = CpuSchedule::padded(d), widthY = CpuSchedule::padded(dv);
  if (pass.ofMeans && pass.ofKeys) {
    addBuffers({{"mean_k", d}, {"mean_v", dv}}, TN);
    addBuffers({{"mean_dk", widthX}, {"mean_dv", widthY}}, TN * schedule.blockK);
  } else if (pass.ofMeans) {
    addTensors({"q", "do"});
    addBuffers({{"mean_dq", widthX}}, gradientRowsQ);
  } else if (pass.ofKeys) {
    addTensors({"k", "v", "dk", "dv"});
  } else {
    addTensors({"q", "do", "dq"});
  }
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
  return kernel(pass.name, "gradient", count, owners, 1, slots,
                pass.flops(sym("N"), sym("M"), program, schedule.blockQ, schedule.blockK));
}

Plan PlanWriter::writeGradient(ArrayRef<GradientPass> passes) {
  addSignature();
  addOrderTables();
  for (const RangedTable &table : rangedTables())
    plan.nodes.push_back(tableRanges(table));
  PlanNode groups;
  groups.kind = PlanNode::Kind::groups;
  auto pack = [&](const char *name, bool isKey, bool isExact, bool transposed, bool plain) {
    bool wanted = !isExact || passes.front().forward->exact;
    return wanted ? packColumns(groups.body, columnsOf(name, isKey), transposed, plain)
                  : PackedColumns{null(), null(), 0};
  };
  bool exact = passes.front().forward->exact;
  PackedColumns q = pack("q", false, true, true, true), gradient = pack("do", false, false, exact, true),
                k = pack("k", true, true, true, true), v = pack("v", true, true, true, false);
  if (exact)
    groups.body.push_back(gradientRows());
  if (!program.weight.empty())
    plan.nodes.push_back(packWeight(/*transposed=*/false));
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
  if (program.linear)
    addLinearGradient(groups.body, gradient);
  PackedColumns meanK, meanV;
  if (program.means()) {
    meanK = packMeans(groups.body, "k", /*plain=*/true);
    meanV = packMeans(groups.body, "v", /*plain=*/false);
    Expr rowsK = sym("G") * TN * schedule.blockK;
    addBuffer("mean_dq", GR * gradientRowsQ * CpuSchedule::padded(program.headDim), "sums of dQ over block means");
    addBuffer("mean_shares", GR * gradientRowsQ, "sums of P over block means");
    addBuffer("mean_dk", rowsK * CpuSchedule::padded(program.headDim), "sums of dK by means, for their tokens");
    addBuffer("mean_dv", rowsK * CpuSchedule::padded(program.valueDim), "sums of dV by means, for their tokens");
  }
  for (const GradientPass &pass : passes)
    groups.body.push_back(pass.ofKeys    ? gradientPass(pass, q, gradient)
                          : pass.ofMeans ? gradientPass(pass, meanK, meanV)
                                         : gradientPass(pass, k, v));
  plan.nodes.push_back(std::move(groups));
  plan.grouping.itemsPerPair = sym("R") * ceildiv(sym("N"), schedule.queries.superRow);
  return std::move(plan);
}

Plan compiler::buildCpuGradientPlan(ir::SpecOp spec, const Program &program, ArrayRef<GradientPass> passes,
                                    const CpuSchedule &schedule) {
  return PlanWriter(spec, program, schedule).writeGradient(passes);
}
