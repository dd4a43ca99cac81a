// The classes of a CPU plan: from scores by rules, or from rules alone. Under the scope all_heads they are made before the
// groups, for all pairs at once, since every head of a batch entry takes part in one ranking.
#include "CpuKernels.h"
#include "CpuPlanWriter.h"

using namespace tercet;
using namespace tercet::compiler;

static PlanSlot integerOf(const std::string &parameter, int64_t otherwise) {
  Expr value = parameter.empty() ? Expr(otherwise) : Expr::symbol("param." + parameter);
  return {PlanSlot::Kind::integer, {}, value};
}

Expr PlanWriter::tableStride(const std::string &table, int axis) {
  std::string number = std::to_string(axis);
  Expr several = Expr::apply(Expr::Op::min, Expr::symbol(table + ".size" + number) - 1, 1);
  return Expr::symbol(table + "." + number) * several;
}

void PlanWriter::addSelectionBuffers() {
  const Selection &select = *program.selection;
  Expr pairs = selectedPairs(), heads = pairs * sym("R");
  if (select.scores == ScoreKind::pooled) {
    addBuffer("mean_q", heads * TM * program.headDim, "block means of queries");
    if (isSelectedAhead())
      addBuffer("all_mean_k", pairs * meanTiles * (64 * program.headDim), "block means of keys, of all heads");
    if (select.center) {
      addBuffer("center_k", pairs * program.headDim, "means of all keys");
      addBuffer("centered_k", pairs * meanTiles * (64 * program.headDim), "block means of keys, centred");
    }
    if (!select.guard.empty()) {
      addBuffer("alike_q", heads * TM, "how alike the tokens of query blocks are");
      addBuffer("alike_k", pairs * TN, "how alike the tokens of key blocks are");
    }
  }
  if (select.scores == ScoreKind::sampled)
    addBuffer("samples", pairs * sampleTiles() * (64 * select.stride * program.headDim), "keys in groups, transposed");
  if (select.scores == ScoreKind::compressed)
    addBuffer("score_pools", pairs * sampleTiles() * (64 * program.headDim), "pools of keys that score, transposed");
  if (select.seesSome())
    addBuffer("seen", heads * placesQ * select.compressed.words(placesK), "bits of the pools that queries see");
  if (select.ranksSpans()) {
    addBuffer("span_keys", heads * TM * TN, "ranks of candidates");
    addBuffer("span_rows", heads * TM, "what rows count", sizeof(SpanRow));
    addBuffer("span_bounds", spans(), "bounds of critical and negligible ranks", sizeof(SpanBounds));
  }
}

// Of groups of keys, or of pools.
Expr PlanWriter::sampleTiles() const {
  const Selection &select = *program.selection;
  return ceildiv(ceildiv(placesK, select.scores == ScoreKind::compressed ? select.compressed.stride : select.stride),
                 64);
}

Expr PlanWriter::spans() const {
  return program.selection->scope == SelectScope::allHeads ? sym("B") : selectedPairs() * sym("R");
}

// Of query blocks, or of key blocks with the centre of their keys.
PlanNode PlanWriter::alikeness(bool isKey) {
  Expr repeat = isKey ? Expr(1) : sym("R"), blocks = isKey ? TN : TM;
  Slots slots{tensor(isKey ? "k" : "q")};
  addStrides(slots, isKey ? "k" : "q", 3);
  for (PlanSlot slot :
       Slots{integer(static_cast<int64_t>(program.dtype)), lengthsOf(isKey), integer(sym(isKey ? "HKV" : "H")),
             integer(isKey ? placesK : placesQ), integer(program.headDim), integer(firstSelectedPair() * repeat),
             integer(isKey ? schedule.blockK : schedule.blockQ), integer(blocks),
             isKey && program.selection->center ? buffer("center_k") : null(), buffer(isKey ? "alike_k" : "alike_q"),
             tokenOrder(isKey), tokenCounts(isKey)})
    slots.push_back(slot);
  return builtin("alikeness", "select", absentClasses * blocks, selectedPairs() * repeat, slots);
}

PlanNode PlanWriter::poolQueries(const std::string &into, Expr pairs, Expr firstPair) {
  Slots slots{tensor("q")};
  addStrides(slots, "q", 3);
  for (PlanSlot slot : Slots{integer(static_cast<int64_t>(program.dtype)), lengthsOf(/*isKey=*/false),
                             integer(sym("HKV")), integer(sym("R")), integer(placesQ), integer(program.headDim),
                             integer(firstPair), integer(schedule.blockQ), integer(TM), buffer(into),
                             tokenOrder(/*isKey=*/false), tokenCounts(/*isKey=*/false)})
    slots.push_back(slot);
  return builtin("pool_queries", "select", TM, pairs * sym("R"), slots);
}

void PlanWriter::addPooledScores(std::vector<PlanNode> &nodes) {
  const Selection &select = *program.selection;
  Expr pairs = selectedPairs(), first = firstSelectedPair();
  nodes.push_back(poolQueries("mean_q", pairs, first));
  nodes.back().grid[0] = absentClasses * TM;
  if (isSelectedAhead()) {
    nodes.push_back(packKeys(tokensOf(pairs, first), {.meanK = buffer("all_mean_k")}));
    nodes.back().grid[1] = absentClasses * pairs;
  }
  if (select.center)
    nodes.push_back(builtin("center_keys", "select", absentClasses * pairs, 1,
                            {lengthsOf(/*isKey=*/true), integer(sym("HKV")), integer(placesK), integer(program.headDim),
                             integer(first), integer(schedule.blockK), integer(TN), integer(meanTiles),
                             buffer(isSelectedAhead() ? "all_mean_k" : "mean_k"), buffer("center_k"),
                             buffer("centered_k"), tokenCounts(/*isKey=*/true)}));
  if (!select.guard.empty())
    for (bool isKey : {false, true})
      nodes.push_back(alikeness(isKey));
}

void PlanWriter::addSamples(std::vector<PlanNode> &nodes) {
  Slots slots{tensor("k")};
  addStrides(slots, "k", 3);
  for (PlanSlot slot :
       Slots{integer(static_cast<int64_t>(program.dtype)), lengthsOf(/*isKey=*/true), integer(sym("HKV")),
             integer(placesK), integer(program.headDim), integer(firstSelectedPair()),
             integer(program.selection->stride), integer(sampleTiles()), buffer("samples"), tokenOrder(/*isKey=*/true)})
    slots.push_back(slot);
  nodes.push_back(builtin("pack_samples", "select", absentClasses * sampleTiles(), selectedPairs(), slots));
}

// Pools of keys, as samples of one token.
void PlanWriter::addScorePools(std::vector<PlanNode> &nodes) {
  const CompressedScores &of = program.selection->compressed;
  Expr pairs = selectedPairs(), pools = of.pools(placesK);
  nodes.push_back(poolTokens("k", of.weights, "score_k", of.length, of.stride, pairs, firstSelectedPair()));
  nodes.back().stage = "select";
  nodes.back().grid[0] = absentClasses * pools;
  // One batch entry of `pairs` heads, whose rows lie one after another.
  Slots slots{buffer("score_k"), null(), integer(pools * program.headDim), integer(program.headDim)};
  for (PlanSlot slot :
       Slots{integer(static_cast<int64_t>(program.dtype)), null(), integer(pairs), integer(pools),
             integer(program.headDim), integer(0), integer(1), integer(sampleTiles()), buffer("score_pools"), null()})
    slots.push_back(slot);
  nodes.push_back(builtin("pack_samples", "select", absentClasses * sampleTiles(), pairs, slots));
  if (of.where)
    nodes.push_back(seenPools());
}

PlanNode PlanWriter::seenPools() {
  Slots slots{buffer("seen")};
  addCallSizes(slots);
  slots.push_back(integer(firstSelectedPair()));
  addPairOperands(slots, pairOperandsOf({program.selection->compressed.where}));
  return kernel("seen_pools", "select", absentClasses * ceildiv(placesQ, seenRows), selectedPairs() * sym("R"), 1,
                slots);
}

// ScoreSlots of tercet/Builtins.h.
void PlanWriter::addScoreSlots(Slots &slots) {
  const Selection &select = *program.selection;
  bool isPooled = select.scores == ScoreKind::pooled, isSampled = select.scores == ScoreKind::sampled,
       isCompressed = select.scores == ScoreKind::compressed;
  ScoreSource source = isPooled       ? ScoreSource::pooled
                       : isSampled    ? ScoreSource::sampled
                       : isCompressed ? ScoreSource::compressed
                                      : ScoreSource::given;
  const char *means = select.center ? "centered_k" : isSelectedAhead() ? "all_mean_k" : "mean_k";
  for (PlanSlot slot :
       Slots{integer(static_cast<int64_t>(source)),
             scalar(isCompressed ? select.compressed.scale : program.scale, defaultScale()),
             isPooled ? buffer("mean_q") : null(), isPooled ? buffer(means) : null(), integer(meanTiles), tensor("q")})
    slots.push_back(slot);
  addStrides(slots, "q", 3);
  int64_t stride = isCompressed ? select.compressed.stride : std::max<int64_t>(1, select.stride);
  for (PlanSlot slot : Slots{integer(static_cast<int64_t>(program.dtype)), integer(stride),
                             isSampled      ? buffer("samples")
                             : isCompressed ? buffer("score_pools")
                                            : null(),
                             select.areShares() ? integer(sampleTiles()) : null(), integer(select.compressed.length),
                             select.seesSome() ? buffer("seen") : null(), tokenOrder(/*isKey=*/false),
                             tokenCounts(/*isKey=*/false), tokenCounts(/*isKey=*/true)})
    slots.push_back(slot);
  if (select.scores != ScoreKind::given) {
    slots.insert(slots.end(), 5, null());
    return;
  }
  slots.push_back(tensor(select.table));
  for (int axis = 0; axis < 4; ++axis)
    slots.push_back(integer(tableStride(select.table, axis)));
}

// SelectSlots of tercet/Builtins.h.
PlanWriter::Slots PlanWriter::selectSlots() {
  const Selection &select = *program.selection;
  Slots slots;
  addScoreSlots(slots);
  bool guards = !select.guard.empty(), spanning = select.ranksSpans(), budgets = !select.budgets.empty();
  for (PlanSlot slot :
       Slots{guards ? buffer("alike_q") : null(), guards ? buffer("alike_k") : null(), scalar(select.guard, 0), rules(),
             budgets ? tensor(select.budgets) : null(), budgets ? integer(tableStride(select.budgets, 0)) : null()})
    slots.push_back(slot);
  addClassPointer(slots);
  constexpr int64_t unbounded = int64_t{1} << 40;
  addCallSizes(slots);
  for (PlanSlot slot : Slots{integer(program.headDim),
                             integer(firstSelectedPair()),
                             integer(schedule.blockQ),
                             integer(schedule.blockK),
                             integer(TM),
                             integer(TN),
                             integer(rowsPerItem()),
                             scalar(select.keep, 0),
                             scalar(select.drop, 0),
                             integer(static_cast<int64_t>(select.keepRule)),
                             integer(select.dropIsCount),
                             integer(static_cast<int64_t>(select.countRule)),
                             integer(static_cast<int64_t>(select.scope)),
                             integerOf(select.minKeep, 1),
                             integerOf(select.maxKeep, unbounded),
                             integerOf(select.sink, 0),
                             integer(select.diagonal),
                             integer(select.forcedCounts),
                             integer(select.apart),
                             integer(select.byShare && spanning),
                             integer(select.scope == SelectScope::allHeads ? sym("H") : Expr(1)),
                             spanning ? buffer("span_keys") : null(),
                             spanning ? buffer("span_rows") : null(),
                             spanning ? buffer("span_bounds") : null()})
    slots.push_back(slot);
  return slots;
}

// A chunk of sampled rows is 64 query groups or one block, one of compressed rows 64 queries or a block.
int64_t PlanWriter::rowsPerItem() const {
  const Selection &select = *program.selection;
  int64_t stride = select.scores == ScoreKind::compressed ? 1 : select.stride;
  return stride == 0 ? 64 : std::max<int64_t>(1, 64 * stride / schedule.blockQ);
}

void PlanWriter::addRanking(std::vector<PlanNode> &nodes) {
  const Selection &select = *program.selection;
  bool isGiven = select.scores == ScoreKind::given, spanning = select.ranksSpans();
  Expr chunks = absentClasses * ceildiv(TM, rowsPerItem()), heads = selectedPairs() * sym("R");
  Slots slots = selectSlots();
  std::string callee = spanning ? "span_keys" : "select";
  nodes.push_back(builtin(isGiven ? callee + "_given" : callee, "select", chunks,
                          select.scope == SelectScope::group ? selectedPairs() : heads, slots));
  if (!isGiven)
    nodes.back().kernels = {"scores"};
  if (select.scores == ScoreKind::sampled)
    nodes.back().flops = absentClasses * heads * ceildiv(sym("N"), select.stride) * ceildiv(sym("M"), select.stride) *
                         (2 * select.stride * program.headDim);
  if (select.scores == ScoreKind::compressed)
    nodes.back().flops = absentClasses * heads * sym("N") * select.compressed.pools(sym("M")) * (2 * program.headDim);
  if (!spanning)
    return;
  nodes.push_back(builtin("span_bounds", "select", absentClasses * spans(), 1, slots));
  nodes.push_back(builtin("span_classes", "select", chunks, heads, slots));
}

void PlanWriter::addClasses(std::vector<PlanNode> &nodes) {
  switch (program.selection->scores) {
  case ScoreKind::none:
    return nodes.push_back(pattern());
  case ScoreKind::pooled:
    addPooledScores(nodes);
    break;
  case ScoreKind::sampled:
    addSamples(nodes);
    break;
  case ScoreKind::compressed:
    addScorePools(nodes);
    break;
  case ScoreKind::given:
    break;
  }
  addRanking(nodes);
}

PlanNode PlanWriter::pattern() {
  Slots slots{rules()};
  addClassPointer(slots);
  addCallSizes(slots);
  for (PlanSlot slot :
       Slots{integer(sym("G0")), integer(schedule.blockQ), integer(schedule.blockK), integer(TM), integer(TN)})
    slots.push_back(slot);
  return builtin("pattern", "select", absentClasses * ceildiv(TM, 64), GR, slots);
}
