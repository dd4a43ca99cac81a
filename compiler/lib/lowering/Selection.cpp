// readSelection: the classification of a spec and the ops behind it.
#include "Selection.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static std::string nameOf(Value operand) {
  ir::ParamOp param = ir::paramOf(operand);
  return param ? param.getName().str() : "";
}

static StringRef keywordOf(Value operand) { return operand ? ir::paramOf(operand).getKeyword() : StringRef(); }

static bool flagOf(Value operand) { return operand && ir::paramOf(operand).getFlag(); }

static std::string argumentOf(ir::SpecOp spec, Value table) {
  if (!table)
    return "";
  return cast<StringAttr>(spec.getArgNames()[cast<BlockArgument>(table).getArgNumber()]).str();
}

template <typename Op> static Op opOf(Value value) { return value ? value.getDefiningOp<Op>() : Op(); }

static void readScores(ir::SpecOp spec, Operation *op, Selection &selection) {
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](ir::PooledScoresOp pooled) {
        selection.scores = ScoreKind::pooled;
        selection.center = flagOf(pooled.getCenter());
        selection.guard = nameOf(pooled.getGuard());
      })
      .Case([&](ir::SampledScoresOp sampled) {
        selection.scores = ScoreKind::sampled;
        selection.stride = ir::paramOf(sampled.getStride()).getInteger();
      })
      .Case([&](ir::GivenScoresOp given) {
        selection.scores = ScoreKind::given;
        selection.table = argumentOf(spec, given.getTable());
      });
}

static void readSelect(ir::SpecOp spec, ir::SelectOp select, Selection &selection) {
  readScores(spec, select.getScores().getDefiningOp(), selection);
  selection.keepRule = static_cast<KeepRule>(select.getKeepUnit()); // in the order of the dialect's enumerators
  selection.keep = nameOf(select.getKeep());
  selection.dropIsCount = select.getDropUnit() == ir::DropUnit::Count;
  selection.drop = nameOf(select.getDrop());
  selection.countRule = llvm::StringSwitch<CountRule>(keywordOf(select.getCountRule()))
                            .Case("ceil", CountRule::ceil)
                            .Case("round", CountRule::round)
                            .Default(CountRule::floor);
  selection.scope = llvm::StringSwitch<SelectScope>(keywordOf(select.getScope()))
                        .Case("head", SelectScope::head)
                        .Case("all_heads", SelectScope::allHeads)
                        .Case("group", SelectScope::group)
                        .Default(SelectScope::row);
  selection.minKeep = nameOf(select.getMinKeep());
  selection.maxKeep = nameOf(select.getMaxKeep());
  selection.sink = nameOf(select.getSink());
  selection.budgets = argumentOf(spec, select.getBudgets());
  selection.diagonal = flagOf(select.getDiagonal());
  selection.forcedCounts = flagOf(select.getForcedCounts());
  selection.mask = opOf<ir::MaskOp>(select.getMask());
  selection.forced = opOf<ir::BlockSetOp>(select.getForced());
  selection.forbidden = opOf<ir::BlockSetOp>(select.getForbidden());
}

PairOperands Selection::pairOperands() const {
  auto regionOf = [](ir::BlockSetOp set) { return set ? &set.getBody() : nullptr; };
  return pairOperandsOf({maskRegion(), regionOf(forced), regionOf(forbidden)});
}

std::optional<Selection> compiler::readSelection(ir::SpecOp spec) {
  Operation *classification = spec.getClassification();
  if (!classification)
    return {};
  Selection selection;
  ir::BlockSizes blocks = *ir::blocksOf(classification);
  selection.blockQ = blocks.queries;
  selection.blockK = blocks.keys;
  if (auto select = dyn_cast<ir::SelectOp>(classification)) {
    readSelect(spec, select, selection);
  } else {
    auto pattern = cast<ir::PatternOp>(classification);
    selection.forced = opOf<ir::BlockSetOp>(pattern.getSet());
    selection.mask = opOf<ir::MaskOp>(pattern.getMask());
  }
  return selection;
}
