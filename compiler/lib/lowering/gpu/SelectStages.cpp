// Which kernels a selection takes, over which grids, and the buffers between them.
#include "SelectStages.h"
#include "PoolStages.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

/// Heads and blocks that selection works on at once: a group's, or under all_heads those of the call.
struct SelectSizes {
  explicit SelectSizes(const GpuProgram &program)
      : pairs(sym(program.ranksAhead() ? "P" : "G")), heads(pairs * sym("R")), queryBlocks(program.queryBlocks()),
        keyBlocks(program.keyBlocks()), scopeHeads(program.ranksAhead() ? sym("H") : Expr(1)) {}
  Expr pairs, heads, queryBlocks, keyBlocks, scopeHeads;
};

class SelectStages {
public:
  SelectStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program, bool superRows)
      : stages(stages), context(context), program(program), superRows(superRows), of(program) {}

  void build() {
    if (program.selection.hasRules())
      addRules();
    if (program.selection.scores != ScoreKind::none) {
      addScores();
      addClasses();
    }
    Expr listed = program.selection.scores == ScoreKind::none ? Expr(1) : given;
    addLists("given_classes", listed, lowerGivenClasses);
    if (program.isFine())
      add("row_lists", {ceildiv(program.lists(), rowsPerBlock), sym("G") * sym("R"), 1},
          "8 lists of 64 rows per block, a warp each", lowerRowLists);
  }

private:
  using Lower = OwningOpRef<ModuleOp> (*)(MLIRContext &, const GpuProgram &);

  using LowerLists = OwningOpRef<ModuleOp> (*)(MLIRContext &, const GpuProgram &, bool);

  GpuStage &add(std::string kernel, std::array<Expr, 3> grid, std::string schedule, Lower lower) {
    auto bound = [&context = context, &program = program, lower] { return lower(context, program); };
    return stages.emplace_back(makeStage(std::move(kernel), "select", std::move(grid), std::move(schedule), bound));
  }
  /// One that writes lists, over the rows of a group.
  GpuStage &addLists(std::string kernel, Expr runs, LowerLists lower) {
    auto bound = [&context = context, &program = program, lower, joins = superRows] {
      return lower(context, program, joins);
    };
    return stages.emplace_back(
        makeStage(std::move(kernel), "select", {runs * rows, sym("G") * sym("R"), 1}, perRow, bound));
  }
  /// One that runs before the groups where ranking does.
  GpuStage &addRanking(std::string kernel, std::array<Expr, 3> grid, std::string schedule, Lower lower) {
    GpuStage &stage = add(std::move(kernel), std::move(grid), std::move(schedule), lower);
    stage.once = program.ranksAhead();
    return stage;
  }

  // Small query blocks are too many for any axis of the grid but the first.
  void addRules() {
    Expr parts = ceildiv(of.keyBlocks, stageThreads);
    std::array<Expr, 3> grid = {parts, of.queryBlocks, of.heads};
    if (program.isFine())
      std::swap(grid[0], grid[1]);
    addRanking("block_rules", grid, "128 key blocks per block, one per thread", lowerBlockRules);
  }

  void addScores() {
    const Selection &selection = program.selection;
    if (selection.scores == ScoreKind::sampled) {
      SampledShape shape(program);
      addRanking("sampled_scores", {fresh * ceildiv(of.queryBlocks, shape.queryBlocks), of.heads, 1},
                 fmt::format("{} query blocks per block, twice over the keys", shape.queryBlocks), lowerSampledScores)
          .flops = fresh * of.heads * sym("N") * sym("M") * (4 * program.headDim / selection.stride);
    }
    if (selection.scores == ScoreKind::compressed)
      addCompressedScores();
    if (selection.scores != ScoreKind::pooled)
      return;
    if (program.ranksAhead())
      addRanking("pool_keys", {fresh * of.keyBlocks, of.pairs, 1}, "key block per block", lowerPoolKeys);
    addRanking("pool_queries", {fresh * of.queryBlocks, of.heads, 1}, "query block per block", lowerPoolQueries);
    if (selection.center)
      addRanking("center_keys", {fresh * ceildiv(program.headDim, stageThreads / 32), of.pairs, 1}, "column per warp",
                 lowerCenterKeys);
    if (!selection.guard.empty())
      addRanking("alike_keys", {fresh * of.keyBlocks, of.pairs, 1}, "key block per block", lowerAlikeKeys);
  }

  void addCompressedScores() {
    const CompressedScores &scores = program.selection.compressed;
    Expr pools = scores.pools(program.keys());
    GpuStage &pooled = stages.emplace_back(makeScorePools(context, program, of.pairs));
    pooled.once = program.ranksAhead();
    if (scores.where)
      addRanking("seen_pools", {fresh * ceildiv(program.rows(), seenQueries), ceildiv(pools, stageThreads), of.heads},
                 fmt::format("{} queries per block, a pool per thread", seenQueries), lowerSeenPools);
    PoolScoreShape shape(program);
    addRanking("compressed_scores", {fresh * ceildiv(of.queryBlocks, shape.queryBlocks), of.heads, 1},
               fmt::format("{} query blocks per block, twice over the pools", shape.queryBlocks), lowerCompressedScores)
        .flops = fresh * of.heads * sym("N") * scores.pools(sym("M")) * (4 * program.headDim);
  }

  void addClasses() {
    Expr flops = program.scoresMeans() ? fresh * of.heads * of.queryBlocks * of.keyBlocks * (2 * program.headDim) : 0;
    switch (program.selection.scope) {
    case SelectScope::group:
      if (!program.selection.areShares())
        add("share_rows", {fresh * rows, of.heads, 1}, perRow, lowerShareRows).flops = flops;
      addLists("select", fresh, lowerSelect);
      return;
    case SelectScope::row:
      addLists("select", fresh, lowerSelect).flops = flops;
      return;
    case SelectScope::head:
    case SelectScope::allHeads:
      break;
    }
    GpuStage &rank = addRanking("rank_rows", {fresh * rows, of.heads, 1}, perRow, lowerRankRows);
    rank.flops = flops;
    rank.zeroed = "scopes";
    Expr scopeRows = of.scopeHeads * of.queryBlocks;
    addRanking("count_keys", {fresh * ceildiv(scopeRows, rowsPerCount), floordiv(of.heads, of.scopeHeads), 1},
               "64 rows per block, a digit at a time", lowerCountKeys)
        .passes = countPasses(program.selection);
    addLists("classify_rows", fresh, lowerClassifyRows);
  }

  std::vector<GpuStage> &stages;
  MLIRContext &context;
  const GpuProgram &program;
  bool superRows;
  SelectSizes of;
  Expr given = sym("classes.present"), fresh = 1 - sym("classes.present"), rows = ceildiv(of.queryBlocks, rowsPerBlock);
  const std::string perRow = "8 rows per block, a warp each";
};

} // namespace

void addSelectStages(std::vector<GpuStage> &stages, MLIRContext &context, const GpuProgram &program, bool superRows) {
  SelectStages(stages, context, program, superRows).build();
}

void addSelectBuffers(std::vector<PlanBuffer> &buffers, const GpuProgram &program) {
  SelectSizes of(program);
  const Selection &selection = program.selection;
  auto add = [&](const char *name, Expr bytes, const char *purpose) {
    buffers.push_back({name, std::move(bytes), purpose});
  };
  Expr groupRows = sym("G") * sym("R") * of.queryBlocks, rows = of.heads * of.queryBlocks;
  Expr lists = sym("G") * sym("R") * program.lists();
  add("lists", lists * of.keyBlocks * 4, "critical blocks of query blocks");
  add("counts", lists * 4, "lengths of the lists of critical blocks");
  Expr rowBits = groupRows * ceildiv(of.keyBlocks, 64) * 8;
  if (program.isFine()) {
    add("takers", lists * of.keyBlocks * 8, "rows that take the entries of lists");
    add("bits", rowBits, "bits of critical blocks");
    add("cut_bits", rowBits, "bits of those that the mask cuts");
  }
  if (program.over != GpuLinearSet::none)
    add("bits", rowBits, "bits of the linear sets");
  if (program.means())
    add("mean_bits", rowBits, "bits of the blocks that means stand for");
  if (selection.hasRules())
    add("rules", rows * of.keyBlocks, "rules of pairs of blocks");
  if (program.scoresMeans()) {
    add("mean_q", rows * (4 * program.headDim), "block means of queries");
    add("mean_k", of.pairs * of.keyBlocks * (4 * program.headDim), "block means of keys, transposed");
  }
  if (selection.center)
    add("centre", of.pairs * (4 * program.headDim), "means of all keys");
  if (!selection.guard.empty()) {
    add("alike_q", rows * 4, "likeness of the tokens of query blocks");
    add("alike_k", of.pairs * of.keyBlocks * 4, "likeness of the tokens of key blocks");
  }
  if (selection.scores == ScoreKind::none)
    return;
  bool isWide = selection.scope == SelectScope::head || selection.scope == SelectScope::allHeads;
  if (selection.scores == ScoreKind::compressed)
    buffers.push_back(scorePoolBuffer(program, of.pairs));
  if (selection.seesSome())
    add("seen", of.heads * program.rows() * selection.compressed.words(program.keys()) * 4,
        "bits of the pools that queries see");
  if (selection.scope == SelectScope::group)
    add("shares", rows * of.keyBlocks * 4, "shares of key blocks");
  if (isWide || (selection.areShares() && selection.scope == SelectScope::row)) {
    add("scores", rows * of.keyBlocks * 4, "block scores");
  } else { // one when a row of scores is longer than what a block of select keeps in shared memory
    Expr isLong = Expr::apply(Expr::Op::min, 1, Expr::apply(Expr::Op::max, 0, of.keyBlocks - 16384));
    add("scores", isLong * rows * of.keyBlocks * 4 + 64, "block scores of rows above 16384 blocks");
  }
  if (isWide)
    add("scopes", floordiv(of.heads, of.scopeHeads) * scopeBytes, "counts of keys by digits");
}

} // namespace tercet::compiler
