// deriveGradient: see the header.
#include "Gradient.h"

#include "RegionDerivative.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

Expr GradientPass::pairs(const Expr &tokensQ, const Expr &tokensK, int64_t blockQ, int64_t blockK) const {
  if (!forward->exact || stores)
    return 0;
  Expr heads = Expr::symbol("G") * Expr::symbol("R");
  if (ofMeanRows())
    return Expr::symbol("blocks.marginal");
  return ofMeans    ? Expr::symbol("blocks.marginal") * blockQ
         : listed() ? Expr::symbol("blocks.critical") * (blockQ * blockK)
                    : heads * forward->rows(tokensQ) * forward->keys(tokensK);
}

Expr GradientPass::flops(const Expr &tokensQ, const Expr &tokensK, const Program &program, int64_t blockQ,
                         int64_t blockK) const {
  int64_t ofPair =
      ofTable ? program.headDim + program.valueDim : 2 * program.headDim + (ofKeys ? 2 : 1) * program.valueDim;
  return pairs(tokensQ, tokensK, blockQ, blockK) * (2 * ofPair);
}

/// Whether the output is more than that of one softmax over tokens and a linear branch.
static bool hasBranches(const Program &program) {
  const AttendStage &stage = program.attends.back();
  return program.attends.size() > 1 || stage.gate || stage.pools || stage.chosen >= 0;
}

/// What of a program has no derivative yet; empty: nothing.
static StringRef missingIn(const Program &program) {
  const AttendStage &stage = program.attends.back();
  if (program.order && (program.linear || program.means()))
    return "a token order beside a linear branch or block means";
  if (program.order && llvm::any_of(program.attends, [](const AttendStage &each) { return each.score || each.mask; }))
    return "a token order beside a mask or a score region";
  if (program.order && llvm::any_of(program.attends, [](const AttendStage &each) { return each.takesAll(); }))
    return "a token order beside a branch over all keys";
  if (stage.means && program.linear)
    return "block means beside a linear branch";
  if (program.means() && program.selection->mask)
    return "block means under a mask";
  if (!hasBranches(program))
    return {};
  auto has = [&](auto what) { return llvm::any_of(program.attends, what); };
  if (program.linear)
    return "a linear branch beside a gate or several branches";
  if (has([](const AttendStage &stage) { return stage.chosen >= 0; }))
    return "branches chosen by head";
  bool pools = has([](const AttendStage &stage) { return stage.ofMeans; });
  if (program.listsMeans() || (pools && (program.attends.size() > 2 || stage.gate)))
    return "block means beside a gate or several branches";
  if (has([](const AttendStage &stage) {
        return stage.poolsQueries() && !stage.ofMeans && (stage.start || stage.keepsState);
      }))
    return "pooled queries under one softmax with other branches";
  return {};
}

std::vector<AttendStage> compiler::branchesOf(const Program &program) {
  std::vector<AttendStage> stages = program.attends;
  for (AttendStage &stage : stages) {
    stage.startsExactly = stage.score || program.dtype == DType::f32;
    if (stage.keepsState)
      continue;
    stage.storesOutput = stage.storesLse = false;
    stage.keepsLse = stage.storesRest = true;
    stage.gate = nullptr;
    stage.added.clear();
  }
  return stages;
}

/// The number of the last stage under the softmax of stage `number`.
static size_t endOfSoftmax(ArrayRef<AttendStage> stages, size_t number) {
  for (size_t later = number + 1; later < stages.size(); ++later)
    if (stages[later].start && stages[later].start->stage == number)
      number = later;
  return number;
}

/// Null where it is 1: where scores stay as they are, or something is added to them.
static Result<std::shared_ptr<Region>> slopeOf(const AttendStage &stage) {
  if (!stage.score)
    return std::shared_ptr<Region>();
  TERCET_TRY(std::unique_ptr<Region> slope, derivativeOf(*stage.score, stage.score->getArgument(0)));
  if (matchPattern(slope->front().getTerminator()->getOperand(0), m_OneFloat()))
    return std::shared_ptr<Region>();
  return std::shared_ptr<Region>(std::move(slope));
}

static Result<std::vector<GradientPass>> derivedBranches(const Program &program) {
  std::vector<GradientPass> passes;
  const AttendStage &last = program.attends.back();
  for (auto [number, stage] : llvm::enumerate(program.attends)) {
    size_t end = endOfSoftmax(program.attends, number);
    Region *gate = program.attends[end].gate;
    for (const StageInput &input : last.added)
      if (input.stage == end)
        gate = input.gate;
    TERCET_TRY(std::shared_ptr<Region> slope, slopeOf(stage));
    const AttendStage *start = stage.start ? &program.attends[stage.start->stage] : nullptr;
    const AttendStage *means = start && start->ofMeans ? start : nullptr;
    for (bool ofKeys : {false, true})
      passes.push_back({.name = (ofKeys ? "gradient_keys_" : "gradient_queries_") + stage.name,
                        .forward = &stage,
                        .ofKeys = ofKeys,
                        .slope = slope,
                        .isBranch = true,
                        .rows = &program.attends[end],
                        .means = means,
                        .gate = gate,
                        .adds = number > 0});
  }
  for (bool ofKeys : {false, true})
    passes.push_back({.name = ofKeys ? "gradient_keys" : "gradient_queries",
                      .forward = &last,
                      .ofKeys = ofKeys,
                      .isBranch = true,
                      .stores = true});
  return passes;
}

Result<std::vector<GradientPass>> compiler::deriveGradient(const Program &program, StringRef spec) {
  if (StringRef missing = missingIn(program); !missing.empty())
    return Status::make(
        Code::invalidSpec,
        "spec '{}' has {}, of which no gradient is derived yet; specs of one softmax, one linear branch, the sum of "
        "both, or a sum of softmaxes with gates have one",
        spec.str(), missing.str());
  if (hasBranches(program))
    return derivedBranches(program);
  const AttendStage *stage = &program.attends.back();
  TERCET_TRY(std::shared_ptr<Region> slope, slopeOf(*stage));
  std::vector<GradientPass> passes;
  for (bool ofKeys : {false, true}) {
    std::string side = ofKeys ? "keys" : "queries";
    if (stage->means)
      passes.push_back({"gradient_mean_" + side, stage, ofKeys, /*ofMeans=*/true});
    passes.push_back({"gradient_" + side, stage, ofKeys, /*ofMeans=*/false, slope});
  }
  return passes;
}
