// Canonical forms: an operand that says what its absence says is dropped, so that equal programs read equally and later
// passes see one form.
#include "tercet/dialect/TercetDialect.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace tercet::ir;

namespace {
/// select: count(floor), diagonal(false) and forced_counts(false) are the defaults; without a forced block
/// forced_counts decides nothing (docs/spec.md#select).
struct DropSelectDefaults : OpRewritePattern<SelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SelectOp op, PatternRewriter &rewriter) const override {
    auto isOff = [](Value operand) { return operand && !paramOf(operand).getFlag(); };
    bool dropRule = op.getCountRule() && paramOf(op.getCountRule()).getKeyword() == "floor";
    bool dropDiagonal = isOff(op.getDiagonal());
    auto pooled = op.getScores().getDefiningOp<PooledScoresOp>();
    bool forcesNothing =
        !op.getSink() && !op.getForced() && (!op.getDiagonal() || dropDiagonal) && !(pooled && pooled.getGuard());
    bool dropForcedCounts = op.getForcedCounts() && (forcesNothing || isOff(op.getForcedCounts()));
    if (!dropRule && !dropDiagonal && !dropForcedCounts)
      return rewriter.notifyMatchFailure(op, "no operand repeats a default");
    rewriter.modifyOpInPlace(op, [&] {
      if (dropRule)
        op.getCountRuleMutable().clear();
      if (dropDiagonal)
        op.getDiagonalMutable().clear();
      if (dropForcedCounts)
        op.getForcedCountsMutable().clear();
    });
    return success();
  }
};

/// linear: over(marginal) is the default (docs/spec.md#linear).
struct DropLinearDefaults : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    if (!op.getOver() || paramOf(op.getOver()).getKeyword() != "marginal")
      return rewriter.notifyMatchFailure(op, "`over` is not the default");
    rewriter.modifyOpInPlace(op, [&] { op.getOverMutable().clear(); });
    return success();
  }
};
} // namespace

void SelectOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropSelectDefaults>(context);
}

void LinearOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropLinearDefaults>(context);
}
