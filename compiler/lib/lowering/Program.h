// Program: what a bound spec asks for, read off its ops once, so that every kernel and the plan see the same facts.
#pragma once

#include "PairOperands.h"
#include "Selection.h"

#include "tercet/Session.h"
#include "tercet/dialect/TercetDialect.h"

namespace tercet::compiler {

enum class FeatureMap { softmax, elu, relu };
enum class LinearOver { marginal, nonCritical, all };

struct Program {
  int64_t headDim = 0, valueDim = 0;
  DType dtype = DType::f32;

  std::optional<Selection> selection; ///< absent: no classification
  int64_t blockQ = 0, blockK = 0;
  bool exact = false;            ///< has a sparse branch
  mlir::Region *score = nullptr; ///< of the sparse branch; null: its scores stay as they are
  ir::MaskOp mask;               ///< of the sparse branch; null: every pair is allowed
  bool means = false;            ///< has block means under the same softmax
  bool linear = false;           ///< has a linear branch
  FeatureMap featureMap = FeatureMap::softmax;
  LinearOver over = LinearOver::all;
  std::string weight, bias; ///< argument names of the projection; empty: none
  std::string scale, eps;   ///< parameter names; empty: default scale, eps 0

  /// The mask's region, or null.
  mlir::Region *maskRegion() const { return mask ? &ir::MaskOp(mask).getBody() : nullptr; }
  /// Of the regions that pairs meet in the sparse branch.
  PairOperands pairOperands() const { return pairOperandsOf({maskRegion(), score}); }
  bool classified() const { return selection.has_value(); }
  /// One state for all rows: the linear set does not depend on the query block, as a mask would make it.
  bool globalState() const { return linear && over == LinearOver::all && !(selection && selection->mask); }
};

/// invalidSpec where the spec verifies but no target can run it yet, with what is missing.
Result<Program> readProgram(ir::SpecOp spec, const Problem &problem);

} // namespace tercet::compiler
