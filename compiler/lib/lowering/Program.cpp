// readProgram: walks back from tercet.return and lays the branches out as attend stages.
#include "Program.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

namespace {

/// A summand: a branch, or several under one softmax, and its gate.
struct Term {
  Operation *op;
  Region *gate;
  bool isLinear() const { return isa<ir::LinearOp, ir::ProjectOp>(op); }
};

class BranchReader {
public:
  BranchReader(ir::SpecOp spec, Program &program) : spec(spec), program(program) {}

  Status read(Value output) {
    auto byHead = output.getDefiningOp<ir::CombineOp>();
    if (byHead && byHead.getKind() == ir::CombineKind::ByHead) {
      program.choice = ir::argumentName(byHead.getChoice());
      choices = static_cast<int64_t>(byHead.getBranches().size());
      for (auto [number, branch] : llvm::enumerate(byHead.getBranches())) {
        chosen = static_cast<int64_t>(number);
        TERCET_RETURN_IF_ERROR(readSum(branch, ir::hasLse(output)));
      }
    } else {
      TERCET_RETURN_IF_ERROR(readSum(output, ir::hasLse(output)));
    }
    for (auto [number, stage] : llvm::enumerate(program.attends))
      stage.name = number + 1 == program.attends.size() ? "attend" : "attend" + std::to_string(number + 1);
    return {};
  }

private:
  ir::SpecOp spec;
  Program &program;
  int64_t chosen = -1, choices = 0;

  static Term termOf(Value branch) {
    Operation *op = branch.getDefiningOp();
    if (auto gate = dyn_cast<ir::GateOp>(op))
      return {gate.getInput().getDefiningOp(), &gate.getFactor()};
    return {op, nullptr};
  }

  // The branches under one softmax, those whose queries are pooled first.
  static SmallVector<Operation *> leavesOf(Operation *op) {
    SmallVector<Operation *> leaves;
    if (auto joint = dyn_cast<ir::CombineOp>(op))
      for (Value branch : joint.getBranches())
        leaves.push_back(branch.getDefiningOp());
    else
      leaves.push_back(op);
    llvm::stable_sort(leaves, [](Operation *a, Operation *b) { return poolsQueries(a) && !poolsQueries(b); });
    return leaves;
  }

  static int64_t queriesOf(ir::CompressedOp op) {
    return op.getQueries() ? ir::paramOf(op.getQueries()).getInteger() : 1;
  }

  static bool poolsQueries(Operation *op) {
    if (auto means = dyn_cast<ir::BlockMeanOp>(op))
      return means.getPooledQueries() && ir::paramOf(means.getPooledQueries()).getFlag();
    auto compressed = dyn_cast<ir::CompressedOp>(op);
    return compressed && queriesOf(compressed) > 1;
  }

  AttendStage &addStage() {
    AttendStage &stage = program.attends.emplace_back();
    stage.chosen = chosen;
    return stage;
  }

  Status refuse(StringRef what) {
    return Status::make(Code::invalidSpec, "spec '{}' {}", spec.getSymName().str(), what.str());
  }

  Status readLinear(Operation *op) {
    if (program.linear)
      return refuse("has several linear branches, of which targets run one; leave the others out");
    if (auto project = dyn_cast<ir::ProjectOp>(op)) {
      program.weight = ir::argumentName(project.getW());
      program.bias = ir::argumentName(project.getB());
      op = project.getInput().getDefiningOp();
    }
    auto linear = cast<ir::LinearOp>(op);
    program.linear = true;
    program.eps = parameterName(linear.getEps());
    program.featureMap = llvm::StringSwitch<FeatureMap>(ir::paramOf(linear.getFeatureMap()).getKeyword())
                             .Case("elu", FeatureMap::elu)
                             .Case("relu", FeatureMap::relu)
                             .Default(FeatureMap::softmax);
    StringRef over = !linear.getClasses() ? "all"
                     : linear.getOver()   ? ir::paramOf(linear.getOver()).getKeyword()
                                          : ir::stringifyClassSet(linear.getSet().value());
    program.over = llvm::StringSwitch<LinearOver>(over)
                       .Case("marginal", LinearOver::marginal)
                       .Case("non_critical", LinearOver::nonCritical)
                       .Case("negligible", LinearOver::negligible)
                       .Default(LinearOver::all);
    return {};
  }

  void readSparse(ir::SparseOp sparse, AttendStage &stage) {
    stage.exact = true;
    stage.listed = static_cast<bool>(sparse.getClasses());
    stage.scale = parameterName(sparse.getScale());
    if (stage.listed)
      program.scale = stage.scale;
    if (!sparse.getScore().empty())
      stage.score = &sparse.getScore();
    if (sparse.getMask())
      stage.mask = &sparse.getMask().getDefiningOp<ir::MaskOp>().getBody();
  }

  void readCompressed(ir::CompressedOp op, AttendStage &stage) {
    auto integer = [](Value operand) { return ir::paramOf(operand).getInteger(); };
    auto name = [](Value table) { return table ? ir::argumentName(table) : std::string(); };
    stage.exact = true;
    stage.pools = {integer(op.getLength()), integer(op.getStride()), queriesOf(op), name(op.getKeyWeights()),
                   name(op.getValueWeights())};
    stage.scale = parameterName(op.getScale());
    if (!op.getScore().empty())
      stage.score = &op.getScore();
    if (!op.getWhere().empty())
      stage.mask = &op.getWhere();
  }

  void readMeans(ir::BlockMeanOp op, AttendStage &stage) {
    stage.exact = stage.ofMeans = true;
    stage.pools = PooledKeys{program.blockK, program.blockK, program.blockQ, "", ""};
    stage.scale = parameterName(op.getScale());
  }

  // The stages of one softmax; the last one has its O and LSE.
  Status readSoftmax(Operation *op) {
    std::optional<size_t> before;
    for (Operation *leaf : leavesOf(op)) {
      auto means = dyn_cast<ir::BlockMeanOp>(leaf);
      if (means && !poolsQueries(means)) {
        if (!before || !program.attends.back().listed)
          return refuse("has a block_mean branch alone; put it under `combine joint` with a sparse branch");
        if (program.attends.back().score)
          return refuse("has a score region beside block means, to which it would not apply; leave one of them out");
        program.attends.back().means = true;
        continue;
      }
      AttendStage &stage = addStage();
      if (auto sparse = dyn_cast<ir::SparseOp>(leaf))
        readSparse(sparse, stage);
      else if (means)
        readMeans(means, stage);
      else
        readCompressed(cast<ir::CompressedOp>(leaf), stage);
      if (before) {
        AttendStage &earlier = program.attends[*before];
        if (stage.poolsQueries())
          return refuse("has two branches with pooled queries under one softmax; leave `queries` out in one of them");
        if (earlier.ofMeans && stage.score)
          return refuse("has a score region beside block means, to which it would not apply; leave one of them out");
        stage.start = StageInput{*before, earlier.queryRows(), nullptr};
        earlier.keepsState = true;
      }
      before = program.attends.size() - 1;
    }
    if (program.attends.back().ofMeans)
      return refuse("has a block_mean branch alone; put it under `combine joint` with a sparse branch");
    return {};
  }

  /// The term whose stage also makes the sum: one whose rows are tokens, best of the classified blocks.
  static const Term *finalTerm(ArrayRef<Term> terms) {
    const Term *best = nullptr;
    for (const Term &term : terms) {
      if (term.isLinear() || poolsQueries(leavesOf(term.op).back()))
        continue;
      auto isListed = [](Operation *leaf) {
        auto sparse = dyn_cast<ir::SparseOp>(leaf);
        return sparse && sparse.getClasses();
      };
      if (!best || llvm::any_of(leavesOf(term.op), isListed))
        best = &term;
    }
    return best;
  }

  Status readSum(Value output, bool storesLse) {
    SmallVector<Term> terms;
    auto sum = output.getDefiningOp<ir::CombineOp>();
    if (sum && sum.getKind() == ir::CombineKind::Sum)
      llvm::transform(sum.getBranches(), std::back_inserter(terms), termOf);
    else
      terms.push_back(termOf(output));
    const Term *last = finalTerm(terms);
    std::vector<StageInput> added;
    const Term *linear = nullptr;
    for (const Term &term : terms) {
      if (term.isLinear()) {
        linear = &term;
        TERCET_RETURN_IF_ERROR(readLinear(term.op));
      } else if (&term != last) {
        TERCET_RETURN_IF_ERROR(readSoftmax(term.op));
        AttendStage &stage = program.attends.back();
        stage.keepsLse = storesLse;
        added.push_back({program.attends.size() - 1, stage.queryRows(), term.gate});
      }
    }
    if (linear && linear->gate && last) { // the stage that adds it multiplies its own branch alone
      addStage().linear = true;
      added.push_back({program.attends.size() - 1, 1, linear->gate});
    }
    if (last)
      TERCET_RETURN_IF_ERROR(readSoftmax(last->op));
    else
      addStage();
    AttendStage &stage = program.attends.back();
    stage.linear = linear && (!linear->gate || !last);
    stage.gate = last ? last->gate : linear ? linear->gate : nullptr;
    stage.added = std::move(added);
    stage.storesOutput = true;
    stage.storesWide = program.direction == Direction::forward && storesLse && stage.exact &&
                       (program.dtype != DType::f32 || program.linear);
    stage.storesLse = storesLse;
    stage.storesRest = program.direction == Direction::forward && storesLse && stage.exact;
    stage.choices = chosen == 0 ? choices : 0;
    for (AttendStage &each : program.attends)
      each.startsExactly =
          each.score || (each.exact && program.direction == Direction::forward && program.dtype == DType::f32);
    return {};
  }
};

} // namespace

Result<Program> compiler::readProgram(ir::SpecOp spec, const Problem &problem) {
  Program program;
  program.headDim = problem.headDim;
  program.valueDim = problem.valueDim;
  program.dtype = problem.dtype;
  program.direction = problem.direction;
  program.selection = readSelection(spec);
  program.order = readOrder(spec);
  if (program.selection) {
    program.blockQ = program.selection->blockQ;
    program.blockK = program.selection->blockK;
  }
  auto end = cast<ir::ReturnOp>(spec.getBody().front().getTerminator());
  TERCET_RETURN_IF_ERROR(BranchReader(spec, program).read(end.getOutput()));
  return program;
}
