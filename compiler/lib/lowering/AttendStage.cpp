#include "AttendStage.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

Expr AttendStage::exactFlops(const Expr &tokensQ, const Expr &tokensK, int64_t blockQ, int64_t blockK, int64_t headDim,
                             int64_t valueDim) const {
  if (!exact)
    return 0;
  Expr heads = Expr::symbol("G") * Expr::symbol("R");
  Expr pairs = ofMeans  ? Expr::symbol("blocks.marginal")
               : listed ? Expr::symbol("blocks.critical") * (blockQ * blockK)
                        : heads * rows(tokensQ) * keys(tokensK);
  if (means)
    pairs = pairs + Expr::symbol("blocks.marginal") * blockQ;
  return pairs * (2 * (headDim + valueDim));
}

bool compiler::anyMeans(ArrayRef<AttendStage> stages) {
  return llvm::any_of(stages, [](const AttendStage &stage) { return stage.means || stage.ofMeans; });
}

SmallVector<RangedTable> compiler::rangedTablesOf(Region *ofSelection, ArrayRef<AttendStage> stages) {
  SmallVector<RangedTable> all = rangedTablesOf(ofSelection);
  for (const AttendStage &stage : stages)
    for (const RangedTable &table : rangedTablesOf(stage.mask))
      if (!llvm::is_contained(all, table))
        all.push_back(table);
  return all;
}
