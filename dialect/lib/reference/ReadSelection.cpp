// The operands of select, pattern and the ops that make scores, one by one.
#include "ReadSelection.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tercet::reference {
namespace {

bool readFlag(Value operand) { return operand && ir::paramOf(operand).getFlag(); }

StringRef readKeyword(Value operand) {
  ir::ParamOp param = ir::paramOf(operand);
  return param ? param.getKeyword() : StringRef();
}

/// The region behind a mask or a block set; nothing where the operand is absent.
Result<std::optional<PairProgram>> readRule(Value operand, const TableIndices &tables) {
  std::optional<PairProgram> rule;
  if (operand) {
    TERCET_TRY(rule, readRegion(operand.getDefiningOp()->getRegion(0), tables));
  }
  return rule;
}

Result<ScoreSource> readCompressed(ir::CompressedScoresOp op, const TableIndices &tables) {
  ScoreSource scores{.kind = ScoreSource::Kind::compressed};
  scores.pools = {.length = ir::paramOf(op.getLength()).getInteger(),
                  .stride = ir::paramOf(op.getStride()).getInteger(),
                  .keyWeights = op.getWeights() ? ir::argumentName(op.getWeights()) : std::string()};
  scores.scale = readNumber(op.getScale(), 0);
  scores.scale.isAuto = scores.scale.isAuto || !op.getScale();
  if (!op.getWhere().empty()) {
    TERCET_TRY(scores.where, readRegion(op.getWhere(), tables));
  }
  return scores;
}

Result<ScoreSource> readScores(Operation *op, const TableIndices &tables) {
  return llvm::TypeSwitch<Operation *, Result<ScoreSource>>(op)
      .Case([](ir::PooledScoresOp pooled) {
        ScoreSource scores{.kind = ScoreSource::Kind::pooled, .center = readFlag(pooled.getCenter())};
        if (pooled.getGuard())
          scores.guard = readNumber(pooled.getGuard(), 0);
        return scores;
      })
      .Case([](ir::SampledScoresOp sampled) {
        return ScoreSource{.kind = ScoreSource::Kind::sampled, .stride = ir::paramOf(sampled.getStride()).getInteger()};
      })
      .Case([&](ir::CompressedScoresOp compressed) { return readCompressed(compressed, tables); })
      .Case([](ir::GivenScoresOp given) {
        return ScoreSource{.kind = ScoreSource::Kind::given, .table = ir::argumentName(given.getTable())};
      })
      .Default([](Operation *) -> Result<ScoreSource> {
        return Status::make(Code::invalidSpec, "tercet.select reads scores that no op of scores made");
      });
}

KeepUnit keepUnitOf(ir::KeepUnit unit) {
  switch (unit) {
  case ir::KeepUnit::Fraction:
    return KeepUnit::fraction;
  case ir::KeepUnit::Count:
    return KeepUnit::count;
  case ir::KeepUnit::Mass:
    return KeepUnit::mass;
  case ir::KeepUnit::Above:
    return KeepUnit::above;
  case ir::KeepUnit::Relative:
    return KeepUnit::relative;
  case ir::KeepUnit::Percentile:
    return KeepUnit::percentile;
  case ir::KeepUnit::Within:
    return KeepUnit::within;
  }
  return KeepUnit::fraction;
}

Status readSelect(ir::SelectOp op, const TableIndices &tables, Selection &selection) {
  TERCET_TRY(selection.scores, readScores(op.getScores().getDefiningOp(), tables));
  selection.keep = readNumber(op.getKeep(), 0);
  selection.drop = readNumber(op.getDrop(), 0);
  selection.minKeep = readNumber(op.getMinKeep(), 1);
  selection.sink = readNumber(op.getSink(), 0);
  if (op.getMaxKeep())
    selection.maxKeep = readNumber(op.getMaxKeep(), 0);
  selection.keepUnit = keepUnitOf(op.getKeepUnit());
  selection.dropIsCount = op.getDropUnit() == ir::DropUnit::Count;
  selection.rounding = llvm::StringSwitch<Rounding>(readKeyword(op.getCountRule()))
                           .Case("ceil", Rounding::ceil)
                           .Case("round", Rounding::round)
                           .Default(Rounding::floor);
  selection.diagonal = readFlag(op.getDiagonal());
  selection.forcedCounts = readFlag(op.getForcedCounts());
  selection.apart = readFlag(op.getApart());
  selection.byShare = readFlag(op.getByShare());
  selection.scope = llvm::StringSwitch<Scope>(readKeyword(op.getScope()))
                        .Case("head", Scope::head)
                        .Case("all_heads", Scope::allHeads)
                        .Case("group", Scope::group)
                        .Default(Scope::row);
  if (op.getBudgets())
    selection.budgets = ir::argumentName(op.getBudgets());
  TERCET_TRY(selection.mask, readRule(op.getMask(), tables));
  TERCET_TRY(selection.forced, readRule(op.getForced(), tables));
  TERCET_TRY(selection.forbidden, readRule(op.getForbidden(), tables));
  return {};
}

Status readPattern(ir::PatternOp op, const TableIndices &tables, Selection &selection) {
  selection.scores.kind = ScoreSource::Kind::none;
  TERCET_TRY(selection.pattern, readRule(op.getSet(), tables));
  TERCET_TRY(selection.mask, readRule(op.getMask(), tables));
  return {};
}

} // namespace

Result<Selection> readSelection(Operation *classification, const TableIndices &tables) {
  Selection selection;
  std::optional<ir::BlockSizes> blocks = ir::blocksOf(classification);
  if (!blocks)
    return Status::make(Code::invalidSpec, "{} has no blocks", classification->getName().getStringRef().str());
  selection.blockQ = blocks->queries;
  selection.blockK = blocks->keys;
  if (auto select = dyn_cast<ir::SelectOp>(classification))
    TERCET_RETURN_IF_ERROR(readSelect(select, tables, selection));
  if (auto pattern = dyn_cast<ir::PatternOp>(classification))
    TERCET_RETURN_IF_ERROR(readPattern(pattern, tables, selection));
  return selection;
}

} // namespace tercet::reference
