// readSpec: one pass over the spec's ops, in order. The only file of the oracle that includes MLIR.
#include "tercet/dialect/reference/ReadSpec.h"

#include "tercet/dialect/TercetDialect.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

#include <map>

using namespace mlir;

namespace tercet::reference {
namespace {

class SpecReader {
public:
  explicit SpecReader(ir::SpecOp spec) : spec(spec) {}

  Result<Program> read() {
    program.name = spec.getSymName().str();
    for (BlockArgument argument : spec.getBody().getArguments()) {
      if (isa<ir::WeightType>(argument.getType()))
        program.weights.push_back(argumentName(argument));
      if (auto table = dyn_cast<ir::TableType>(argument.getType()))
        program.tables.push_back(
            {argumentName(argument), table.getAxes().vec(), table.getElementType().isF32() ? DType::f32 : DType::i32});
    }
    for (Operation &op : spec.getBody().front())
      TERCET_RETURN_IF_ERROR(readOp(op));
    return std::move(program);
  }

private:
  ir::SpecOp spec;
  Program program;
  llvm::DenseMap<Value, size_t> branchOf;
  std::map<std::string, int> namesTaken;

  std::string argumentName(Value value) {
    return cast<StringAttr>(spec.getArgNames()[cast<BlockArgument>(value).getArgNumber()]).str();
  }

  Status checkTokens(Operation &op, ValueRange tokens) {
    static constexpr const char *names[] = {"q", "k", "v"};
    for (auto [index, value] : llvm::enumerate(tokens))
      if (argumentName(value) != names[index])
        return Status::make(Code::invalidSpec, "{} reads %{} where the oracle expects %{}",
                            op.getName().getStringRef().str(), argumentName(value), names[index]);
    return {};
  }

  static Number number(Value operand, double whenAbsent) {
    ir::ParamOp param = ir::paramOf(operand);
    if (!param)
      return {.value = whenAbsent};
    Number number{.parameter = param.getName().str(), .isAuto = param.isAuto(), .isRuntime = !param.isStatic()};
    if (!number.isAuto)
      number.value =
          param.getKind() == ir::ParamKind::Float ? param.getFloat() : static_cast<double>(param.getInteger());
    return number;
  }

  static Number scale(Value operand) {
    Number result = number(operand, 0);
    result.isAuto = result.isAuto || !operand;
    return result;
  }

  static bool flag(Value operand) { return operand && ir::paramOf(operand).getFlag(); }

  static uint8_t bits(ir::ClassSet set) {
    uint8_t result = 0;
    if (ir::bitEnumContainsAny(set, ir::ClassSet::Critical))
      result |= criticalBit;
    if (ir::bitEnumContainsAny(set, ir::ClassSet::Marginal))
      result |= marginalBit;
    if (ir::bitEnumContainsAny(set, ir::ClassSet::Negligible))
      result |= negligibleBit;
    return result;
  }

  void add(Operation &op, Branch branch) {
    branch.name = branchKindName(branch.kind);
    if (int taken = ++namesTaken[branch.name]; taken > 1)
      branch.name += std::to_string(taken);
    branchOf[op.getResult(0)] = program.branches.size();
    program.branches.push_back(std::move(branch));
  }

  Status readSelect(ir::SelectOp op) {
    auto scores = op.getScores().getDefiningOp<ir::PooledScoresOp>();
    if (!scores)
      return Status::make(Code::invalidSpec, "tercet.select reads scores that tercet.pooled_scores did not make");
    TERCET_RETURN_IF_ERROR(checkTokens(*scores, {scores.getQ(), scores.getK()}));
    if (op.getMaxKeep() || op.getScope() || op.getBudgets() || op.getMask() || op.getForced() || op.getForbidden() ||
        scores.getCenter() || scores.getGuard() ||
        (op.getKeepUnit() != ir::KeepUnit::Fraction && op.getKeepUnit() != ir::KeepUnit::Count))
      return Status::make(Code::invalidSpec, "the oracle has no meaning for this rule of tercet.select");
    Selection selection;
    selection.blockQ = ir::paramOf(scores.getBlockQ()).getInteger();
    selection.blockK = ir::paramOf(scores.getBlockK()).getInteger();
    selection.keep = number(op.getKeep(), 0);
    selection.drop = number(op.getDrop(), 0);
    selection.minKeep = number(op.getMinKeep(), 1);
    selection.sink = number(op.getSink(), 0);
    selection.keepIsCount = op.getKeepUnit() == ir::KeepUnit::Count;
    selection.dropIsCount = op.getDropUnit() == ir::DropUnit::Count;
    if (ir::ParamOp rule = ir::paramOf(op.getCountRule()))
      selection.rounding = rule.getKeyword() == "ceil"    ? Rounding::ceil
                           : rule.getKeyword() == "round" ? Rounding::round
                                                          : Rounding::floor;
    selection.diagonal = flag(op.getDiagonal());
    selection.forcedCounts = flag(op.getForcedCounts());
    program.selection = selection;
    return {};
  }

  Status readSparse(ir::SparseOp op) {
    if (op.getMask() || !op.getScore().empty())
      return Status::make(Code::invalidSpec, "the oracle has no meaning for masks and score regions");
    Branch branch;
    branch.kind = Branch::Kind::sparse;
    branch.scale = scale(op.getScale());
    if (op.getClasses())
      branch.classes = bits(op.getSetAttr().getValue());
    add(*op, branch);
    return checkTokens(*op, {op.getQ(), op.getK(), op.getV()});
  }

  Status readLinear(ir::LinearOp op) {
    Branch branch;
    branch.kind = Branch::Kind::linear;
    branch.eps = number(op.getEps(), 0);
    StringRef phi = ir::paramOf(op.getFeatureMap()).getKeyword();
    branch.featureMap = phi == "elu" ? FeatureMap::elu : phi == "relu" ? FeatureMap::relu : FeatureMap::softmax;
    if (op.getClasses()) {
      ir::ParamOp over = ir::paramOf(op.getOver());
      StringRef set = over ? over.getKeyword() : StringRef("marginal");
      branch.classes = set == "all"            ? everyClass
                       : set == "non_critical" ? marginalBit | negligibleBit
                                               : bits(op.getSetAttr().getValue());
    }
    add(*op, branch);
    return checkTokens(*op, {op.getQ(), op.getK(), op.getV()});
  }

  Status readBlockMean(ir::BlockMeanOp op) {
    add(*op, {.kind = Branch::Kind::blockMean, .classes = bits(op.getSet()), .scale = scale(op.getScale())});
    return checkTokens(*op, {op.getQ(), op.getK(), op.getV()});
  }

  Status readProject(ir::ProjectOp op) {
    add(*op, {.kind = Branch::Kind::project,
              .weight = argumentName(op.getW()),
              .bias = argumentName(op.getB()),
              .inputs = {branchOf.lookup(op.getInput())}});
    return {};
  }

  Status readCombine(ir::CombineOp op) {
    Branch branch{.kind = op.getKind() == ir::CombineKind::Sum ? Branch::Kind::sum : Branch::Kind::joint};
    for (Value input : op.getBranches())
      branch.inputs.push_back(branchOf.lookup(input));
    add(*op, branch);
    return {};
  }

  Status readOp(Operation &op) {
    return llvm::TypeSwitch<Operation *, Status>(&op)
        .Case([&](ir::ParamOp param) {
          if (!param.isStatic())
            program.parameters.push_back(param.getName().str());
          return Status();
        })
        .Case<ir::PooledScoresOp, ir::SkipOp>([](auto) { return Status(); })
        .Case([&](ir::SelectOp select) { return readSelect(select); })
        .Case([&](ir::SparseOp sparse) { return readSparse(sparse); })
        .Case([&](ir::LinearOp linear) { return readLinear(linear); })
        .Case([&](ir::BlockMeanOp means) { return readBlockMean(means); })
        .Case([&](ir::ProjectOp project) { return readProject(project); })
        .Case([&](ir::CombineOp combine) { return readCombine(combine); })
        .Case([&](ir::ReturnOp result) {
          program.output = branchOf.lookup(result.getOutput());
          return Status();
        })
        .Default([](Operation *other) {
          return Status::make(Code::invalidSpec, "the oracle has no meaning for {}",
                              other->getName().getStringRef().str());
        });
  }
};

} // namespace

Result<Program> readSpec(ir::SpecOp spec) { return SpecReader(spec).read(); }

} // namespace tercet::reference
