// PlanWriter: the state of writing one CPU plan. CpuPlan.cpp names the stages; CpuPlanOrder.cpp writes tables of a token order,
// CpuPlanSelection.cpp classes, CpuPlanLists.cpp what becomes of them, CpuPlanPairs.cpp what regions over pairs need,
// CpuPlanLinear.cpp the linear branch, CpuPlanAttend.cpp the attend stages, CpuPlanMeans.cpp those of means by means of queries. CpuPlanGradient.cpp writes the backward:
// CpuPlanColumns.cpp the columns of its passes, CpuPlanLinearGradient.cpp linear branches, CpuPlanBranchGradient.cpp several branches,
// CpuPlanTableGradient.cpp tables of weights of pools, CpuPlanRegionTables.cpp tables that regions read.
#pragma once

#include "CpuPlan.h"
#include "PairDependence.h"
#include "PairOperands.h"
#include "Signature.h"

#include "tercet/Builtins.h"

#include <bit>
#include <cmath>

namespace tercet::compiler {

class PlanWriter {
public:
  PlanWriter(ir::SpecOp spec, const Program &program, const CpuSchedule &schedule)
      : spec(spec), program(program), schedule(schedule) {}
  Plan write();
  Plan writeGradient(llvm::ArrayRef<GradientPass> passes);

private:
  using Slots = std::vector<PlanSlot>;
  static PlanSlot tensor(std::string name) { return {PlanSlot::Kind::tensor, std::move(name), {}}; }
  static PlanSlot buffer(std::string name) { return {PlanSlot::Kind::buffer, std::move(name), {}}; }
  static PlanSlot integer(Expr value) { return {PlanSlot::Kind::integer, {}, std::move(value)}; }
  static PlanSlot null() { return integer(0); }
  /// A runtime parameter, or a constant as the bits of a double where the spec has no such parameter.
  static PlanSlot scalar(const std::string &name, double otherwise) {
    return name.empty() ? integer(std::bit_cast<int64_t>(otherwise)) : PlanSlot{PlanSlot::Kind::scalar, name, {}};
  }
  static void addStrides(Slots &slots, const std::string &name, int count) {
    for (int i = 0; i < count; ++i)
      slots.push_back(integer(Expr::symbol(name + "." + std::to_string(i))));
  }

  /// Lengths, heads and places, as slot structs that count queries and keys by places begin.
  void addCallSizes(Slots &slots) const { addCallSizes(slots, lengthsOf(/*isKey=*/true), placesK); }
  void addCallSizes(Slots &slots, const PlanSlot &keyLengths, const Expr &keys) const {
    for (PlanSlot slot : Slots{lengthsOf(/*isKey=*/false), keyLengths, integer(sym("HKV")), integer(sym("R")),
                               integer(placesQ), integer(keys)})
      slots.push_back(slot);
  }
  /// Of queries or keys: those of the call, or under a token order in places.
  PlanSlot lengthsOf(bool isKey) const;

  /// The stride of a table along an axis; 0 where that has one entry, which serves every index.
  static Expr tableStride(const std::string &table, int axis);

  void addSignature();
  void addListBuffers();
  void addBuffers();
  void addBuffer(std::string name, Expr floats, std::string purpose, int64_t elementBytes = 4) {
    plan.buffers.push_back({std::move(name), floats * elementBytes, std::move(purpose)});
  }
  PlanNode builtin(std::string callee, std::string stage, Expr grid0, Expr grid1, Slots slots) {
    return {
        PlanNode::Kind::builtin, std::move(callee), std::move(stage), {grid0, grid1, 1}, std::move(slots), {}, 0, {}};
  }
  PlanNode kernel(std::string callee, std::string stage, Expr grid0, Expr grid1, Expr grid2, Slots slots,
                  Expr flops = 0) {
    return {PlanNode::Kind::kernel,
            std::move(callee),
            std::move(stage),
            {grid0, grid1, grid2},
            std::move(slots),
            {},
            flops,
            {}};
  }
  /// Keys and values: K and V, or pools of them.
  struct KeySource {
    PlanSlot k, v;
    Slots strides; ///< three of each
    PlanSlot lengths;
    Expr heads, tokens, firstPair, pairs;
    PlanSlot order = null(), counts = null(); ///< of a token order
  };
  /// What becomes of them; a null slot: nothing.
  struct KeyTargets {
    PlanSlot packedK = null(), packedV = null(), meanK = null(), meanV = null();
  };
  KeySource tokensOf(Expr pairs, Expr firstPair);
  PlanNode packKeys(const KeySource &source, const KeyTargets &targets);
  Expr tilesOf(Expr keys) const { return ceildiv(keys, schedule.blockK) * (schedule.blockK / schedule.keyTile); }
  bool needsKeyMeans() const;
  /// transposed: as the forward multiplies with it.
  PlanNode packWeight(bool transposed = true);
  void addSelectionBuffers();
  void addClasses(std::vector<PlanNode> &nodes);
  void addPooledScores(std::vector<PlanNode> &nodes);
  PlanNode poolQueries(const std::string &into, Expr pairs, Expr firstPair);
  PlanNode alikeness(bool isKey);
  void addSamples(std::vector<PlanNode> &nodes);
  void addScorePools(std::vector<PlanNode> &nodes);
  PlanNode seenPools();
  void addScoreSlots(Slots &slots);
  Slots selectSlots();
  void addRanking(std::vector<PlanNode> &nodes);
  PlanNode pattern();
  PlanNode copyClasses(bool fromArgument);
  void addLists(std::vector<PlanNode> &body);
  PlanNode linearPass();
  void addAttend(std::vector<PlanNode> &nodes, size_t number);
  Slots meanPairs(const AttendStage &stage);
  void addMeanStage(std::vector<PlanNode> &nodes, const AttendStage &stage);
  void addMeanGradients(std::vector<PlanNode> &nodes, llvm::ArrayRef<GradientPass> passes);
  void addPools(std::vector<PlanNode> &nodes, const AttendStage &stage);
  PlanNode poolTokens(const char *tensor, const std::string &weights, const std::string &into, int64_t length,
                      int64_t stride, Expr pairs, Expr firstPair);
  void addAttendInputs(Slots &slots, const AttendStage &stage);
  void addStageBuffers(const AttendStage &stage);
  /// Keys that a stage counts, pools aside: places, or all tokens.
  Expr keysFor(const AttendStage &stage) const;
  Expr stageTiles(const AttendStage &stage) const;
  /// Under a token order: whether a stage takes all tokens, which are packed once more, as they lie.
  bool packsAll() const {
    return program.order && llvm::any_of(program.attends, [](const AttendStage &stage) { return stage.takesAll(); });
  }
  PlanNode packAll();
  struct PackedColumns {
    PlanSlot transposed, plain;
    Expr tiles;
  };
  /// A tensor of the call, or a buffer, as columns of the other side's pass.
  struct ColumnSource {
    std::string name; ///< of what is packed
    bool isKey;
    int64_t dim;
    PlanSlot tokens;
    Slots strides;
    DType dtype;
    PlanSlot lengths;
    Expr heads, firstHead;
    int64_t width, panel; ///< of plain tiles
    Expr count;           ///< of tokens
    GradientSide side;    ///< how they are packed
    PlanSlot order = null(), tokenCounts = null();
  };
  ColumnSource columnsOf(const char *tensor, bool isKey);
  PackedColumns packColumns(std::vector<PlanNode> &nodes, const ColumnSource &source, bool transposed, bool plain);
  PackedColumns packMeans(std::vector<PlanNode> &nodes, const char *tensor, bool plain);
  void addGradientInputs(Slots &slots, const GradientPass &pass);
  void addGradientTensors(Slots &slots, const GradientPass &pass);
  /// A tensor of the call, and a buffer of rows, of one batch entry of heads of the group: where it is, and three strides.
  static Slots rowsOfTensor(const std::string &name);
  static Slots rowsOfBuffer(const std::string &name, Expr rows, int64_t width);
  /// Rows of sums of a head: whole steps of stores.
  static Expr sumRows(Expr rows) {
    return ceildiv(std::move(rows), CpuSchedule::storedGradientRows) * CpuSchedule::storedGradientRows;
  }
  ColumnSource columnsOfBuffer(const std::string &name, bool isKey, int64_t dim, Expr rows, DType dtype,
                               const GradientSide &side);
  ColumnSource asStates(ColumnSource source) const;
  /// What gradient_rows reads: O, LSE, what rounding left of it, and dO, each with strides.
  struct RowSource {
    Slots o, lse, rest, gradient;
    DType dtype; ///< of dO
    PlanSlot lengths;
    Expr headsKV, rows, firstPair;
    PlanSlot order = null();
  };
  PlanNode gradientRows(const std::string &prefix, const RowSource &source);
  void addPoolWeights(Slots &slots, const std::string &weights);
  void addTokenPasses(std::vector<PlanNode> &nodes, llvm::ArrayRef<GradientPass> passes);
  PackedColumns addBranchRows(std::vector<PlanNode> &nodes, const GradientPass &pass);
  /// Every weighted use of pools that has a gradient: "dk" of keys, "dv" of values.
  void eachPoolWeights(
      llvm::function_ref<void(const AttendStage &stage, const char *gradient, const std::string &weights)> body);
  void addTableGradients();
  static const std::string &poolWeights(const AttendStage &stage, std::string_view gradient) {
    return gradient == "dv" ? stage.pools->valueWeights : stage.pools->keyWeights;
  }
  PlanNode poolWeightGradient(const AttendStage &stage, const char *gradient);
  void addPoolWeightSums(std::vector<PlanNode> &nodes);
  /// The gradient of a table, its sizes and its strides.
  Slots gradientOf(mlir::BlockArgument table);
  void addTableClears(std::vector<PlanNode> &nodes);
  void addTableSums(std::vector<PlanNode> &nodes, llvm::ArrayRef<GradientPass> passes);
  Expr shareRows(const TableShares &shares) const;
  Expr entriesOf(const TableRead &read) const;
  Expr superRowsPerStrip(const TableShares &shares) const;
  void addTableShares(Slots &slots, const GradientPass &pass);
  void addGateShares(Slots &slots, const GradientPass &pass);
  PlanNode spreadPools(const AttendStage &stage, const char *gradient, bool adds);
  PackedColumns packPools(std::vector<PlanNode> &nodes, const AttendStage &stage, const char *tensor, bool plain);
  /// Of the passes of a branch: tokens, or its pools.
  struct BranchColumns {
    PackedColumns q, k, v;
  };
  BranchColumns addBranchQueries(std::vector<PlanNode> &nodes, llvm::ArrayRef<GradientPass> passes,
                                 const BranchColumns &ofTokens);
  void addBranchKeys(std::vector<PlanNode> &nodes, llvm::ArrayRef<GradientPass> passes, const PackedColumns &ofGradient,
                     const BranchColumns &of);
  void addBranches(std::vector<PlanNode> &nodes, llvm::ArrayRef<GradientPass> passes);
  void addLinearGradient(std::vector<PlanNode> &nodes, const PackedColumns &gradient);
  void addLinearBuffers();
  /// What the kernels of the linear branch sum over: states of one side for the blocks of the other.
  struct StateSums {
    std::string sets; ///< prefix of their buffers
    PlanSlot lengths; ///< of the side with the states
    Expr tokens, rowBlocks, columnBlocks, rows, firstRow, subset;
  };
  PlanNode stateNode(const char *values);
  PlanNode aggregateNode(const char *callee, const char *from, const char *to, const StateSums &sums, Expr owners);
  StateSums keyStates() const;         ///< for query blocks
  StateSums gradientKeyStates() const; ///< the same in a backward
  StateSums queryStates() const;       ///< for key blocks
  void addLinearGradientBuffers();
  void addLinearSides(Slots &slots, bool isKey);
  ColumnSource linearGradientColumns(std::vector<PlanNode> &nodes);
  ColumnSource centredValues(std::vector<PlanNode> &nodes);
  PlanNode weightGradient(const PackedColumns &gradient);
  void addLinearSetBuffers(const StateSums &sums);
  PlanNode linearSets(Slots classes, const StateSums &sums, bool ofKeys);
  void addTransposedLists(std::vector<PlanNode> &nodes);
  PlanNode gradientPass(const GradientPass &pass, const PackedColumns &x, const PackedColumns &y);
  void addPairOperands(Slots &slots, const PairOperands &operands);
  mlir::SmallVector<RangedTable> rangedTables() const;
  static std::string rangesOf(const RangedTable &table);
  PlanNode tableRanges(const RangedTable &table);
  void addRanges(Slots &slots, mlir::Region *mask);
  void addRuleBuffers();
  PlanNode blockRules(const char *into, Expr pairs, Expr firstPair, bool givenToo);
  /// Rule bytes of a group are read: by selection, or by all that reads the mask.
  bool hasGroupRules() const {
    return program.selection->mask || (program.selection->hasRules() && !isSelectedAhead());
  }
  void addOrderTables();
  PlanSlot tokenOrder(bool isKey);
  PlanSlot tokenCounts(bool isKey);
  void addOrder(Slots &slots, bool isKey);
  void addClassPointer(Slots &slots);
  /// Rule bytes: where classes are made, and of a group for those that read the mask alone.
  PlanSlot rules() {
    return program.selection->hasRules() ? buffer(isSelectedAhead() ? "all_rules" : "rules") : null();
  }
  PlanSlot maskRules();
  /// Classes are made before the groups, of all pairs.
  bool isSelectedAhead() const {
    return program.selection->scores != ScoreKind::none && program.selection->scope == SelectScope::allHeads;
  }
  Expr selectedPairs() const { return isSelectedAhead() ? sym("P") : sym("G"); }
  Expr firstSelectedPair() const { return isSelectedAhead() ? Expr(0) : sym("G0"); }
  Expr sampleTiles() const;
  Expr spans() const;
  int64_t rowsPerItem() const;
  double defaultScale() const { return 1 / std::sqrt(static_cast<double>(program.headDim)); }

  ir::SpecOp spec;
  const Program &program;
  const CpuSchedule &schedule;
  Plan plan;
  mlir::SmallVector<mlir::BlockArgument> regionTables; ///< of a backward: those that have a gradient through regions
  // Counts of blocks and tiles, and pairs times query heads of a group.
  Expr TM = blocksAlong(program.order, "N", schedule.blockQ), TN = blocksAlong(program.order, "M", schedule.blockK);
  Expr placesQ = placesAlong(program.order, "N", schedule.blockQ),
       placesK = placesAlong(program.order, "M", schedule.blockK);
  Expr tiles = tilesOf(placesK), meanTiles = ceildiv(TN, 64);
  Expr absentClasses = Expr(1) - Expr::symbol("classes.present");
  Expr superRows = ceildiv(placesQ, schedule.superRow), GR = sym("G") * sym("R");
  Expr superRowsK = ceildiv(placesK, schedule.keys.superRow); ///< of the backward, as those below
  Expr tilesQ = ceildiv(placesQ, schedule.queries.packed) * (schedule.queries.packed / schedule.queries.tile);
  Expr gradientRowsQ =
      Expr::apply(Expr::Op::max, ceildiv(placesQ, schedule.queries.superRow) * schedule.queries.superRow,
                  tilesQ *schedule.queries.tile);
  Expr linearTM = ceildiv(sym("N"), schedule.queries.packed), linearTN = ceildiv(sym("M"), schedule.keys.packed);
  Expr subsetK = Expr::apply(Expr::Op::min, floordiv(TN, 16), 1) * (schedule.subsetBlocks - 1) + 1;
  Expr capacity = tiles + (program.listsMeans() ? meanTiles : Expr(0));
  /// Tables of subset sums pay from some 16 rows on (docs/decisions/0008-aggregation.md); else 1: block by block.
  Expr subset = Expr::apply(Expr::Op::min, floordiv(TM, 16), 1) * (schedule.subsetBlocks - 1) + 1;
  /// Rows of H in a pass, the first one's query block, and how many times over.
  Expr stateRows = program.globalState() ? Expr(1) : sym("I"), firstRow = sym("I0"),
       stateOwners = program.globalState() ? sym("G") : GR;
};

} // namespace tercet::compiler
