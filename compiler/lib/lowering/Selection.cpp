// readSelection: the classification of a spec and the ops behind it.
#include "Selection.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

std::string compiler::parameterName(Value operand) {
  ir::ParamOp param = ir::paramOf(operand);
  return param ? param.getName().str() : "";
}

static StringRef keywordOf(Value operand) { return operand ? ir::paramOf(operand).getKeyword() : StringRef(); }

static bool flagOf(Value operand) { return operand && ir::paramOf(operand).getFlag(); }

template <typename Op> static Op opOf(Value value) { return value ? value.getDefiningOp<Op>() : Op(); }

static void readScores(Operation *op, Selection &selection) {
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](ir::PooledScoresOp pooled) {
        selection.scores = ScoreKind::pooled;
        selection.center = flagOf(pooled.getCenter());
        selection.guard = parameterName(pooled.getGuard());
      })
      .Case([&](ir::SampledScoresOp sampled) {
        selection.scores = ScoreKind::sampled;
        selection.stride = ir::paramOf(sampled.getStride()).getInteger();
      })
      .Case([&](ir::CompressedScoresOp op) {
        selection.scores = ScoreKind::compressed;
        selection.compressed = {ir::paramOf(op.getLength()).getInteger(), ir::paramOf(op.getStride()).getInteger(),
                                op.getWeights() ? ir::argumentName(op.getWeights()) : "", parameterName(op.getScale()),
                                op.getWhere().empty() ? nullptr : &op.getWhere()};
      })
      .Case([&](ir::GivenScoresOp given) {
        selection.scores = ScoreKind::given;
        selection.table = ir::argumentName(given.getTable());
      });
}

static void readSelect(ir::SelectOp select, Selection &selection) {
  readScores(select.getScores().getDefiningOp(), selection);
  selection.keepRule = static_cast<KeepRule>(select.getKeepUnit()); // in the order of the dialect's enumerators
  selection.keep = parameterName(select.getKeep());
  selection.dropIsCount = select.getDropUnit() == ir::DropUnit::Count;
  selection.drop = parameterName(select.getDrop());
  selection.countRule = llvm::StringSwitch<CountRule>(keywordOf(select.getCountRule()))
                            .Case("ceil", CountRule::ceil)
                            .Case("round", CountRule::round)
                            .Default(CountRule::floor);
  selection.scope = llvm::StringSwitch<SelectScope>(keywordOf(select.getScope()))
                        .Case("head", SelectScope::head)
                        .Case("all_heads", SelectScope::allHeads)
                        .Case("group", SelectScope::group)
                        .Default(SelectScope::row);
  selection.minKeep = parameterName(select.getMinKeep());
  selection.maxKeep = parameterName(select.getMaxKeep());
  selection.sink = parameterName(select.getSink());
  selection.budgets = select.getBudgets() ? ir::argumentName(select.getBudgets()) : "";
  selection.diagonal = flagOf(select.getDiagonal());
  selection.forcedCounts = flagOf(select.getForcedCounts());
  selection.apart = flagOf(select.getApart());
  selection.byShare = flagOf(select.getByShare());
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
    readSelect(select, selection);
  } else {
    auto pattern = cast<ir::PatternOp>(classification);
    selection.forced = opOf<ir::BlockSetOp>(pattern.getSet());
    selection.mask = opOf<ir::MaskOp>(pattern.getMask());
  }
  return selection;
}
