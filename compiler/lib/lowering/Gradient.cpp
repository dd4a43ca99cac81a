// deriveGradient: see the header.
#include "Gradient.h"

#include "RegionDerivative.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

Expr GradientPass::flops(const Expr &tokensQ, const Expr &tokensK, const Program &program, int64_t blockQ,
                         int64_t blockK) const {
  if (!forward->exact)
    return 0;
  if (ofMeans) { // a pair of a query and a marginal block
    Expr pairs = Expr::symbol("blocks.marginal") * blockQ;
    return pairs * (2 * (2 * program.headDim + (ofKeys ? 2 : 1) * program.valueDim));
  }
  Expr pairs = listed() ? Expr::symbol("blocks.critical") * (blockQ * blockK)
                        : Expr::symbol("G") * Expr::symbol("R") * tokensQ * tokensK;
  return pairs * (2 * (2 * program.headDim + (ofKeys ? 2 : 1) * program.valueDim));
}

/// What of a program has no derivative yet; empty: nothing.
static StringRef missingIn(const Program &program) {
  const AttendStage &stage = program.attends.back();
  if (program.order && (program.linear || stage.means))
    return "a token order beside a linear branch or block means";
  if (program.order && (stage.score || program.selection->mask))
    return "a token order beside a mask or a score region";
  if (stage.means && program.linear)
    return "block means beside a linear branch";
  if (stage.means && program.selection->mask)
    return "block means under a mask";
  if (llvm::any_of(program.attends, [](const AttendStage &stage) { return stage.pools.has_value(); }))
    return "a compressed branch";
  if (program.attends.size() > 1 || stage.chosen >= 0)
    return "several branches";
  if (stage.gate)
    return "a gate";
  return {};
}

Result<std::vector<GradientPass>> compiler::deriveGradient(const Program &program, StringRef spec) {
  if (StringRef missing = missingIn(program); !missing.empty())
    return Status::make(
        Code::invalidSpec,
        "spec '{}' has {}, of which no gradient is derived yet; specs of one sparse branch, one linear branch, or the "
        "sum of both have one",
        spec.str(), missing.str());
  const AttendStage *stage = &program.attends.back();
  std::shared_ptr<Region> slope;
  if (stage->score) {
    TERCET_TRY(slope, derivativeOf(*stage->score));
  }
  std::vector<GradientPass> passes;
  for (bool ofKeys : {false, true}) {
    std::string side = ofKeys ? "keys" : "queries";
    if (stage->means)
      passes.push_back({"gradient_mean_" + side, stage, ofKeys, /*ofMeans=*/true});
    passes.push_back({"gradient_" + side, stage, ofKeys, /*ofMeans=*/false, slope});
  }
  return passes;
}
