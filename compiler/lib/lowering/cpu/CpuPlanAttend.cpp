// The attend stages of a CPU plan: pools, one kernel per stage, and the buffers through which stages hand on what they
// made. Slots follow AttendSlots and StageSlots of AttendBuilder.h.
#include "CpuPlanWriter.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

Expr PlanWriter::keysFor(const AttendStage &stage) const { return stage.takesAll() ? sym("M") : placesK; }

Expr PlanWriter::stageTiles(const AttendStage &stage) const { return tilesOf(stage.keys(keysFor(stage))); }

// A table of weights as the builtins of pools take it; none: means.
void PlanWriter::addPoolWeights(Slots &slots, const std::string &weights) {
  if (weights.empty()) {
    slots.insert(slots.end(), 5, null());
    return;
  }
  slots.push_back(tensor(weights));
  for (const char *property : {".size0", ".size1", ".0", ".1"})
    slots.push_back(integer(Expr::symbol(weights + property)));
}

// Means or weighted sums of q, k or v; heads of a group one after another.
PlanNode PlanWriter::poolTokens(const char *name, const std::string &weights, const std::string &into, int64_t length,
                                int64_t stride, Expr pairs, Expr firstPair) {
  bool isQuery = std::string_view(name) == "q", isValue = std::string_view(name) == "v";
  Expr count = ceildiv(isQuery ? placesQ : placesK, stride), heads = isQuery ? pairs * sym("R") : pairs;
  int64_t dim = isValue ? program.valueDim : program.headDim;
  addBuffer(into, heads * count * dim, std::string("pools of ") + name, static_cast<int64_t>(dtypeSize(program.dtype)));
  Slots slots{tensor(name)};
  addStrides(slots, name, 3);
  for (PlanSlot slot :
       Slots{integer(static_cast<int64_t>(program.dtype)), tensor(isQuery ? "q_len" : "k_len"),
             integer(sym(isQuery ? "H" : "HKV")), integer(sym(isQuery ? "N" : "M")), integer(dim),
             integer(isQuery ? firstPair * sym("R") : firstPair), integer(length), integer(stride), integer(count)})
    slots.push_back(slot);
  addPoolWeights(slots, weights);
  for (PlanSlot slot : Slots{buffer(into), tokenOrder(!isQuery), tokenCounts(!isQuery)})
    slots.push_back(slot);
  return builtin("pool_tokens", "prologue", count, heads, slots);
}

// Pooled keys and values as tiles, and pooled queries.
void PlanWriter::addPools(std::vector<PlanNode> &nodes, const AttendStage &stage) {
  const PooledKeys &pools = *stage.pools;
  const std::string k = stage.name + "_k", v = stage.name + "_v", packedK = "packed_" + k, packedV = "packed_" + v;
  Expr G = sym("G"), G0 = sym("G0");
  nodes.push_back(poolTokens("k", pools.keyWeights, k, pools.length, pools.stride, G, G0));
  nodes.push_back(poolTokens("v", pools.valueWeights, v, pools.length, pools.stride, G, G0));
  if (stage.poolsQueries())
    nodes.push_back(poolTokens("q", "", stage.name + "_q", pools.queries, pools.queries, G, G0));
  Expr count = stage.keys(placesK), tilesOfPair = tilesOf(count);
  addBuffer(packedK, G * tilesOfPair * (program.headDim * schedule.keyTile), "pooled keys as f32 tiles, transposed");
  addBuffer(packedV, G * tilesOfPair * (schedule.keyTile * schedule.valueDim), "pooled values as f32 tiles");
  // One batch entry of G heads, whose rows lie one after another.
  KeySource source{buffer(k), buffer(v), {}, null(), G, count, 0, G};
  for (int64_t dim : {program.headDim, program.valueDim})
    for (PlanSlot stride : Slots{null(), integer(count * dim), integer(dim)})
      source.strides.push_back(stride);
  nodes.push_back(packKeys(source, {.packedK = buffer(packedK), .packedV = buffer(packedV)}));
}

void PlanWriter::addStageBuffers(const AttendStage &stage) {
  Expr rows = GR * stage.rows(placesQ);
  if (!stage.storesOutput)
    addBuffer(stage.name + "_o", rows * schedule.valueDim, "output of " + stage.name + " for a later stage");
  if (stage.keepsLse)
    addBuffer(stage.name + "_lse", rows, "log-sum-exp of " + stage.name);
  if (stage.storesRest && !stage.storesOutput)
    addBuffer(stage.name + "_lse_rest", rows, "what rounding left of " + stage.name + "_lse");
  if (stage.keepsState)
    addBuffer(stage.name + "_state", rows * 2, "maxima and sums of " + stage.name);
}

void PlanWriter::addAttendInputs(Slots &slots, const AttendStage &stage) {
  auto nameOf = [&](size_t number) { return program.attends[number].name; };
  if (stage.storesWide) {
    slots.push_back(tensor("o_wide"));
    addStrides(slots, "o_wide", 3);
  }
  if (stage.storesRest)
    for (PlanSlot slot :
         stage.storesOutput ? rowsOfTensor("lse_rest") : rowsOfBuffer(stage.name + "_lse_rest", stage.rows(placesQ), 1))
      slots.push_back(slot);
  if (stage.start) {
    slots.push_back(buffer(nameOf(stage.start->stage) + "_o"));
    slots.push_back(buffer(nameOf(stage.start->stage) + "_state"));
  }
  for (const StageInput &input : stage.added)
    slots.push_back(buffer(nameOf(input.stage) + "_o"));
  if (stage.storesLse && !stage.exact)
    slots.push_back(buffer(nameOf(stage.added.front().stage) + "_lse"));
  if (stage.keepsState)
    slots.push_back(buffer(stage.name + "_state"));
  if (stage.chosen >= 0) {
    slots.push_back(tensor(program.choice));
    slots.push_back(integer(tableStride(program.choice, 0)));
  }
  if (program.isFine() && stage.gathersRows()) {
    slots.push_back(buffer("takers"));
    slots.push_back(buffer("takers_at"));
  }
}

void PlanWriter::addAttend(std::vector<PlanNode> &nodes, size_t number) {
  const AttendStage &stage = program.attends[number];
  if (stage.ofMeans)
    return addMeanStage(nodes, stage);
  if (stage.pools)
    addPools(nodes, stage);
  addStageBuffers(stage);
  Expr rows = stage.rows(placesQ);
  Slots slots;
  auto append = [&](const Slots &more) { slots.insert(slots.end(), more.begin(), more.end()); };
  append(stage.poolsQueries() ? rowsOfBuffer(stage.name + "_q", rows, program.headDim) : rowsOfTensor("q"));
  append(stage.storesOutput ? rowsOfTensor("o") : rowsOfBuffer(stage.name + "_o", rows, schedule.valueDim));
  append(stage.storesLse  ? rowsOfTensor("lse")
         : stage.keepsLse ? rowsOfBuffer(stage.name + "_lse", rows, 1)
                          : Slots{null(), null(), integer(rows), integer(1)});
  std::string packed = stage.pools ? "packed_" + stage.name : packsAll() && stage.takesAll() ? "packed_all" : "packed";
  addCallSizes(slots, stage.takesAll() ? tensor("k_len") : lengthsOf(/*isKey=*/true), keysFor(stage));
  for (PlanSlot slot :
       Slots{integer(sym("G0")), buffer(packed + "_k"), buffer(packed + "_v"), integer(stageTiles(stage)),
             stage.listed ? buffer("attend_lists") : null(), stage.listed ? buffer("attend_counts") : null(),
             integer(capacity), integer(superRows), scalar(stage.scale, defaultScale()),
             stage.means ? buffer("mean_k") : null(), stage.means ? buffer("mean_v") : null(), integer(meanTiles)})
    slots.push_back(slot);
  if (stage.listed)
    addClassPointer(slots);
  else
    slots.insert(slots.end(), 4, null());
  bool projects = stage.linear && !program.weight.empty();
  for (PlanSlot slot : Slots{integer(TM), integer(TN), stage.linear ? buffer("linear") : null(),
                             projects ? tensor(program.weight) : null(), projects ? buffer("packed_w") : null(),
                             projects ? buffer("packed_b") : null(),
                             stage.linear && !program.globalState() ? buffer("linear_counts") : null()})
    slots.push_back(slot);
  addAttendInputs(slots, stage);
  for (bool isKey : {false, true})
    addOrder(slots, isKey);
  addPairOperands(slots, stage.pairOperands());
  addRanges(slots, stage.listed ? nullptr : stage.mask);
  Expr exact =
      stage.exactFlops(placesQ, keysFor(stage), schedule.blockQ, schedule.blockK, program.headDim, program.valueDim);
  Expr projection = projects ? GR * sym("N") * (2 * program.valueDim * program.valueDim) : Expr(0);
  nodes.push_back(kernel(stage.name, "attend", ceildiv(rows, schedule.superRow), GR, 1, slots, exact + projection));
}
