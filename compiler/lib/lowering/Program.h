// Program: what a bound spec asks for, read off its ops once, so that every kernel and the plan see the same facts.
#pragma once

#include "AttendStage.h"
#include "OrderExprs.h"
#include "Selection.h"

#include "tercet/Session.h"
#include "tercet/dialect/TercetDialect.h"

namespace tercet::compiler {

enum class FeatureMap { softmax, elu, relu };
enum class LinearOver { marginal, nonCritical, all, negligible };

struct Program {
  int64_t headDim = 0, valueDim = 0;
  DType dtype = DType::f32;
  Direction direction = Direction::inference;

  std::optional<Selection> selection; ///< absent: no classification
  int64_t blockQ = 0, blockK = 0;
  std::optional<PlanOrder> order;   ///< of the blocks; absent: they are runs of tokens
  std::string scale;                ///< of pooled and sampled scores: a parameter's name; empty: the default scale
  std::vector<AttendStage> attends; ///< in the order in which they run
  std::string choice;               ///< the table by which heads choose among stages; empty: none does

  bool linear = false; ///< has a linear branch
  FeatureMap featureMap = FeatureMap::softmax;
  LinearOver over = LinearOver::all;
  std::string weight, bias; ///< argument names of the projection; empty: none
  std::string eps;          ///< a parameter's name; empty: 0

  bool classified() const { return selection.has_value(); }
  /// Whether query blocks are smaller than a tile of queries is, which then takes what any of its rows takes.
  bool isFine() const { return classified() && blockQ < 16; }
  /// Whether the rows of such blocks that take a tile are brought together on CPUs: no region looks at where they are.
  bool gathersRows() const {
    return isFine() &&
           std::any_of(attends.begin(), attends.end(), [](const AttendStage &stage) { return stage.gathersRows(); });
  }
  /// Whether block means are keys of some stage, and of one that takes them with its critical blocks.
  bool means() const { return anyMeans(attends); }
  bool listsMeans() const {
    return llvm::any_of(attends, [](const AttendStage &stage) { return stage.means; });
  }
  /// One state for all rows: the linear set does not depend on the query block, as a mask would make it.
  bool globalState() const { return linear && over == LinearOver::all && !(selection && selection->mask); }
};

/// invalidSpec where the spec verifies but no target can run it, with what is missing.
Result<Program> readProgram(ir::SpecOp spec, const Problem &problem);

} // namespace tercet::compiler
