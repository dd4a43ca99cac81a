// GpuProgram: what a bound spec asks of a GPU, as plain data: the facts of lowering/Program.h that kernels are specialised
// for, checked against what the kernels take.
#pragma once

#include "AttendStage.h"
#include "Gradient.h"
#include "OrderExprs.h"
#include "PairDependence.h"
#include "Selection.h"

#include "tercet/Session.h"
#include "tercet/dialect/TercetDialect.h"

#include <string>

namespace tercet::compiler {

/// In the order of the device library's enumerators (features.cuh, class_row.cuh).
enum class GpuFeatureMap : int64_t { softmax, elu, relu };
enum class GpuLinearSet : int64_t { none, marginal, nonCritical, full, negligible };

struct GpuProgram {
  std::string name;
  int64_t headDim = 0, valueDim = 0; ///< multiples of 8, up to 256
  DType dtype = DType::bf16;         ///< of q, k, v: bf16, f16 or f32
  Direction direction = Direction::inference;
  std::vector<AttendStage> attends;      ///< a kernel each, in this order
  std::vector<GradientPass> gradient;    ///< of a backward: its passes, over these stages
  std::string choice;                    ///< the table by which heads choose among stages; empty: none does
  llvm::SmallVector<RangedTable> ranged; ///< tables of masks whose blocks have bounds (GpuRanges.h)

  int64_t blockQ = 0, blockK = 0; ///< classification blocks; 0: none
  std::optional<PlanOrder> order; ///< of the blocks; absent: they are runs of tokens
  Selection selection;            ///< how blocks are classified
  std::string scale;              ///< of pooled and sampled scores: a parameter's name; empty: 1 / sqrt(headDim)

  bool linear = false;
  GpuFeatureMap featureMap = GpuFeatureMap::softmax;
  GpuLinearSet over = GpuLinearSet::none; ///< none: one state for all rows
  std::string eps;                        ///< the runtime parameter; empty: 0
  std::string weight, bias;               ///< argument names of the projection; empty: none

  bool classified() const { return blockQ != 0; }
  /// Whether query blocks are smaller than what has a list: the lists of several are joined, with bits of the rows that take
  /// an entry (row_lists.cuh).
  bool isFine() const { return classified() && blockQ < 16; }
  /// Query rows with a list, and how many lists a head has.
  int64_t listRows() const { return isFine() ? 64 : blockQ; }
  Expr lists() const { return isFine() ? ceildiv(rows(), listRows()) : queryBlocks(); }
  /// What kernels work through: tokens, or under a token order places (OrderExprs.h).
  Expr rows() const { return placesAlong(order, "N", blockQ); }
  Expr keys() const { return placesAlong(order, "M", blockK); }
  /// 1 without classification.
  Expr queryBlocks() const { return classified() ? blocksAlong(order, "N", blockQ) : Expr(1); }
  Expr keyBlocks() const { return classified() ? blocksAlong(order, "M", blockK) : Expr(1); }
  /// What kernels that count the tokens of blocks take for lengths: these, or under a token order the counts.
  llvm::StringRef countsOfQueries() const { return order ? "@counts_q" : "q_len"; }
  llvm::StringRef countsOfKeys() const { return order ? "@counts_k" : "k_len"; }
  /// Whether selection reads the block means of queries and keys.
  bool scoresMeans() const { return classified() && selection.scores == ScoreKind::pooled; }
  /// Whether rows are ranked once per call, for all groups of heads, before the first group: a scope spans groups.
  bool ranksAhead() const {
    return classified() && selection.scores != ScoreKind::none && selection.scope == SelectScope::allHeads;
  }
  /// Whether block means are keys of some stage.
  bool means() const { return anyMeans(attends); }
  /// Whether some stage takes critical blocks alone.
  bool listed() const {
    return llvm::any_of(attends, [](const AttendStage &stage) { return stage.listed; });
  }
  /// Whether the tiles of keys that a block takes follow from the stage's mask alone, and are found on the way.
  static bool listsSteps(const AttendStage &stage) { return stage.mask && !stage.listed; }
  /// Whether the rows of a block of the stage's kernel are those of a query block, or of the two of a super row.
  bool inQueryBlocks(const AttendStage &stage) const {
    return stage.listed || (stage.linear && classified() && !globalState());
  }
  bool globalState() const { return linear && over == GpuLinearSet::none; }
  /// Means of keys as operands: rounded, and what rounding left, since LSE is held to f32; 24 bits of bf16, 22 of f16.
  int64_t meanPlanes() const { return isWide() ? 1 : dtype == DType::bf16 ? 3 : 2; }
  /// The same of values: what a backward makes of dO and V has more digits than P V.
  int64_t meanValuePlanes() const { return isWide() || direction == Direction::inference ? 1 : 2; }
  /// The same of dO of a branch.
  int64_t gradientPlanes() const { return isWide() ? 1 : 2; }
  /// Of a backward: whether branches have passes of their own, which add to sums.
  bool inBranches() const { return direction == Direction::backward && !gradient.empty() && gradient.front().isBranch; }
  bool isWide() const { return dtype == DType::f32; }
  /// Rounded up to what matrix units take.
  int64_t paddedHeadDim() const { return (headDim + 15) / 16 * 16; }
  int64_t paddedValueDim() const { return (valueDim + 15) / 16 * 16; }
  /// Tokens behind one state h_j.
  int64_t stateBlock() const { return classified() ? blockK : 256; }
  /// The same of queries, behind a state dH_i of a backward.
  int64_t queryStateBlock() const { return classified() ? blockQ : 256; }
  /// Numbers of a state row: StateRow of the device library.
  int64_t stateColumns() const { return (paddedHeadDim() * paddedValueDim() + paddedHeadDim() + 63) / 64 * 64; }
  /// The sets whose bits select writes: the linear one, and that of block means (class_row.cuh).
  int64_t bits() const { return isFine() ? 5 : static_cast<int64_t>(over) + (means() ? 8 : 0); }
  double defaultScale() const;
};

/// invalidSpec where no target lowers the spec; unsupportedTarget where the dtype or a dimension is none of the above,
/// with what is legal.
Result<GpuProgram> readGpuProgram(ir::SpecOp spec, const Problem &problem);

} // namespace tercet::compiler
