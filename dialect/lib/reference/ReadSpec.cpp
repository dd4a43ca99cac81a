// readSpec: one pass over the spec's ops, in order. With ReadSelection.cpp and ReadRegion.cpp all of the oracle that
// includes MLIR.
#include "tercet/dialect/reference/ReadSpec.h"

#include "ReadSelection.h"

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
        program.weights.push_back(ir::argumentName(argument));
      if (auto table = dyn_cast<ir::TableType>(argument.getType())) {
        tables[ir::argumentName(argument)] = program.tables.size();
        program.tables.push_back({ir::argumentName(argument), table.getAxes().vec(),
                                  table.getElementType().isF32() ? DType::f32 : DType::i32});
      }
    }
    for (Operation &op : spec.getBody().front())
      TERCET_RETURN_IF_ERROR(readOp(op));
    return std::move(program);
  }

private:
  ir::SpecOp spec;
  Program program;
  TableIndices tables;
  llvm::DenseMap<Value, size_t> branchOf;
  std::map<std::string, int> namesTaken;

  Status checkTokens(Operation &op, ValueRange tokens) {
    static constexpr const char *names[] = {"q", "k", "v"};
    for (auto [index, value] : llvm::enumerate(tokens))
      if (ir::argumentName(value) != names[index])
        return Status::make(Code::invalidSpec, "{} reads %{} where the oracle expects %{}",
                            op.getName().getStringRef().str(), ir::argumentName(value), names[index]);
    return {};
  }

  static Number scale(Value operand) {
    Number result = readNumber(operand, 0);
    result.isAuto = result.isAuto || !operand;
    return result;
  }

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

  Status readRegions(Region &mask, Region &score, Branch &branch) {
    if (!mask.empty()) {
      TERCET_TRY(branch.mask, readRegion(mask, tables));
    }
    if (!score.empty()) {
      TERCET_TRY(branch.score, readRegion(score, tables));
    }
    return {};
  }

  Status readSparse(ir::SparseOp op) {
    Branch branch;
    branch.kind = Branch::Kind::sparse;
    branch.scale = scale(op.getScale());
    if (op.getClasses())
      branch.classes = bits(op.getSetAttr().getValue());
    Region none;
    Region &mask = op.getMask() ? op.getMask().getDefiningOp<ir::MaskOp>().getBody() : none;
    TERCET_RETURN_IF_ERROR(readRegions(mask, op.getScore(), branch));
    add(*op, branch);
    return checkTokens(*op, {op.getQ(), op.getK(), op.getV()});
  }

  Status readLinear(ir::LinearOp op) {
    Branch branch;
    branch.kind = Branch::Kind::linear;
    branch.eps = readNumber(op.getEps(), 0);
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

  Status readCompressed(ir::CompressedOp op) {
    auto integer = [](Value operand) { return operand ? ir::paramOf(operand).getInteger() : 0; };
    auto name = [](Value table) { return table ? ir::argumentName(table) : std::string(); };
    Branch branch{.kind = Branch::Kind::compressed, .scale = scale(op.getScale())};
    branch.pools = {integer(op.getLength()), integer(op.getStride()), integer(op.getQueries()),
                    name(op.getKeyWeights()), name(op.getValueWeights())};
    TERCET_RETURN_IF_ERROR(readRegions(op.getWhere(), op.getScore(), branch));
    add(*op, branch);
    return checkTokens(*op, {op.getQ(), op.getK(), op.getV()});
  }

  Status readGate(ir::GateOp op) {
    Branch branch{.kind = Branch::Kind::gate, .inputs = {branchOf.lookup(op.getInput())}};
    TERCET_TRY(branch.factor, readRegion(op.getFactor(), tables));
    add(*op, branch);
    return {};
  }

  Status readBlockMean(ir::BlockMeanOp op) {
    ir::ParamOp pools = ir::paramOf(op.getPooledQueries());
    add(*op, {.kind = Branch::Kind::blockMean,
              .classes = bits(op.getSet()),
              .scale = scale(op.getScale()),
              .poolsQueries = pools && pools.getFlag()});
    return checkTokens(*op, {op.getQ(), op.getK(), op.getV()});
  }

  Status readProject(ir::ProjectOp op) {
    add(*op, {.kind = Branch::Kind::project,
              .weight = ir::argumentName(op.getW()),
              .bias = ir::argumentName(op.getB()),
              .inputs = {branchOf.lookup(op.getInput())}});
    return {};
  }

  Status readCombine(ir::CombineOp op) {
    Branch branch;
    switch (op.getKind()) {
    case ir::CombineKind::Sum:
      branch.kind = Branch::Kind::sum;
      break;
    case ir::CombineKind::Joint:
      branch.kind = Branch::Kind::joint;
      break;
    case ir::CombineKind::ByHead:
      branch.kind = Branch::Kind::byHead;
      branch.choice = ir::argumentName(op.getChoice());
    }
    for (Value input : op.getBranches())
      branch.inputs.push_back(branchOf.lookup(input));
    add(*op, branch);
    return {};
  }

  static GridOrder readOrder(ir::TokenOrderOp op) {
    GridOrder order;
    for (Value size : op.getGrid())
      order.grid.push_back(readNumber(size, 1));
    for (Value size : op.getTile())
      order.tile.push_back(ir::paramOf(size).getInteger());
    if (op.getText())
      order.text = *op.getText() == ir::TextPlace::Prefix ? TextPlace::prefix : TextPlace::suffix;
    return order;
  }

  Status readOp(Operation &op) {
    return llvm::TypeSwitch<Operation *, Status>(&op)
        .Case([&](ir::ParamOp param) {
          if (!param.isStatic())
            program.parameters.push_back(param.getName().str());
          return Status();
        })
        .Case<ir::PooledScoresOp, ir::SampledScoresOp, ir::CompressedScoresOp>([&](auto scores) {
          return checkTokens(*scores, {scores.getQ(), scores.getK()});
        })
        .Case<ir::GivenScoresOp, ir::MaskOp, ir::BlockSetOp, ir::SkipOp>([](auto) { return Status(); })
        .Case([&](ir::TokenOrderOp order) {
          program.order = readOrder(order);
          return Status();
        })
        .Case<ir::SelectOp, ir::PatternOp>([&](auto classification) {
          TERCET_TRY(program.selection, readSelection(classification, tables));
          return Status();
        })
        .Case([&](ir::SparseOp sparse) { return readSparse(sparse); })
        .Case([&](ir::LinearOp linear) { return readLinear(linear); })
        .Case([&](ir::BlockMeanOp means) { return readBlockMean(means); })
        .Case([&](ir::CompressedOp compressed) { return readCompressed(compressed); })
        .Case([&](ir::GateOp gate) { return readGate(gate); })
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
