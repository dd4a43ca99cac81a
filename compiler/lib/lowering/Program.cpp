// readProgram: walks back from tercet.return.
#include "Program.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

static Status readBranch(ir::SpecOp spec, Operation *branch, Program &program) {
  if (auto sparse = dyn_cast<ir::SparseOp>(branch)) {
    program.exact = true;
    program.scale = parameterName(sparse.getScale());
    if (!sparse.getScore().empty())
      program.score = &sparse.getScore();
    if (sparse.getMask())
      program.mask = sparse.getMask().getDefiningOp<ir::MaskOp>();
    return {};
  }
  if (auto linear = dyn_cast<ir::LinearOp>(branch)) {
    program.linear = true;
    program.eps = parameterName(linear.getEps());
    program.featureMap = llvm::StringSwitch<FeatureMap>(ir::paramOf(linear.getFeatureMap()).getKeyword())
                             .Case("elu", FeatureMap::elu)
                             .Case("relu", FeatureMap::relu)
                             .Default(FeatureMap::softmax);
    StringRef over = !linear.getClasses() ? "all"
                     : linear.getOver()   ? ir::paramOf(linear.getOver()).getKeyword()
                                          : "marginal";
    program.over = llvm::StringSwitch<LinearOver>(over)
                       .Case("marginal", LinearOver::marginal)
                       .Case("non_critical", LinearOver::nonCritical)
                       .Default(LinearOver::all);
    return {};
  }
  if (auto project = dyn_cast<ir::ProjectOp>(branch)) {
    program.weight = ir::argumentName(project.getW());
    program.bias = ir::argumentName(project.getB());
    return readBranch(spec, project.getInput().getDefiningOp(), program);
  }
  if (isa<ir::BlockMeanOp>(branch)) {
    program.means = true;
    return {};
  }
  if (auto combine = dyn_cast<ir::CombineOp>(branch)) {
    for (Value input : combine.getBranches())
      TERCET_RETURN_IF_ERROR(readBranch(spec, input.getDefiningOp(), program));
    return {};
  }
  return Status::make(Code::invalidSpec, "spec '{}' returns the result of {}, which no target lowers",
                      spec.getSymName().str(), branch->getName().getStringRef().str());
}

Result<Program> compiler::readProgram(ir::SpecOp spec, const Problem &problem) {
  Program program;
  program.headDim = problem.headDim;
  program.valueDim = problem.valueDim;
  program.dtype = problem.dtype;
  program.selection = readSelection(spec);
  if (program.selection) {
    program.blockQ = program.selection->blockQ;
    program.blockK = program.selection->blockK;
  }
  auto end = cast<ir::ReturnOp>(spec.getBody().front().getTerminator());
  TERCET_RETURN_IF_ERROR(readBranch(spec, end.getOutput().getDefiningOp(), program));
  if (program.means && !program.exact)
    return Status::make(Code::invalidSpec,
                        "spec '{}' has a block_mean branch alone; put it under `combine joint` with a "
                        "sparse branch",
                        spec.getSymName().str());
  if (program.means && program.score)
    return Status::make(Code::invalidSpec,
                        "spec '{}' has a score region beside block means, to which it would not apply; "
                        "leave one of them out",
                        spec.getSymName().str());
  return program;
}
