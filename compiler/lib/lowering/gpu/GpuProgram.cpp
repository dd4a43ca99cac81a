// Which specs have GPU kernels, and with which sizes.
#include "tercet/compiler/cuda/GpuProgram.h"

#include "Program.h"

#include <cmath>

namespace tercet::compiler {

namespace {

void readSelection(const Selection &selection, GpuProgram &program) {
  program.keep = {selection.keep, selection.keepRule == KeepRule::count};
  program.drop = {selection.drop, selection.dropIsCount};
  program.minKeep = selection.minKeep;
  program.sink = selection.sink;
  program.countRule = static_cast<GpuCountRule>(selection.countRule);
  program.diagonal = selection.diagonal;
  program.forcedCounts = selection.forcedCounts;
}

Status checkSelection(const Selection &selection, llvm::StringRef spec) {
  std::string what;
  if (selection.scores == ScoreKind::sampled || selection.scores == ScoreKind::given)
    what = "sampled and given scores";
  else if (selection.center || !selection.guard.empty())
    what = "centred and guarded scores";
  else if (selection.keepRule != KeepRule::fraction && selection.keepRule != KeepRule::count)
    what = "rules of keep but top_fraction and top_count";
  else if (selection.scope != SelectScope::row || !selection.maxKeep.empty() || !selection.budgets.empty())
    what = "max_keep, budgets and scopes but row";
  if (what.empty())
    return {};
  return Status::make(Code::unsupportedTarget, "@{} has {}, for which there is no CUDA kernel; cpu runs it", spec.str(),
                      what);
}

GpuLinearSet setOf(LinearOver over) {
  switch (over) {
  case LinearOver::marginal:
    return GpuLinearSet::marginal;
  case LinearOver::nonCritical:
    return GpuLinearSet::nonCritical;
  case LinearOver::all:
    break;
  }
  return GpuLinearSet::none;
}

Status checkSizes(const Problem &problem) {
  if (problem.dtype != DType::bf16 && problem.dtype != DType::f16 && problem.dtype != DType::f32)
    return Status::make(Code::unsupportedTarget, "CUDA kernels take bf16, f16 or f32, not {}",
                        dtypeName(problem.dtype));
  for (int64_t size : {problem.headDim, problem.valueDim})
    if (size < 8 || size > 256 || size % 8 != 0)
      return Status::make(
          Code::unsupportedTarget,
          "CUDA kernels take head dimensions from 8 to 256 in steps of 8 (rows of 16-byte chunks), not {}; "
          "the nearest is {}",
          size, std::clamp<int64_t>((size + 4) / 8 * 8, 8, 256));
  return {};
}

} // namespace

double GpuProgram::defaultScale() const { return 1 / std::sqrt(static_cast<double>(headDim)); }

Result<GpuProgram> readGpuProgram(ir::SpecOp spec, const Problem &problem) {
  TERCET_RETURN_IF_ERROR(checkSizes(problem));
  TERCET_TRY(Program facts, readProgram(spec, problem));
  GpuProgram program;
  program.name = spec.getSymName().str();
  program.headDim = facts.headDim;
  program.valueDim = facts.valueDim;
  program.dtype = facts.dtype;
  program.exact = facts.exact;
  program.scale = facts.scale;
  program.blockQ = facts.blockQ;
  program.blockK = facts.blockK;
  if (facts.classified()) {
    TERCET_RETURN_IF_ERROR(checkSelection(*facts.selection, spec.getSymName()));
    readSelection(*facts.selection, program);
  }
  program.means = facts.means;
  program.linear = facts.linear;
  program.featureMap = static_cast<GpuFeatureMap>(facts.featureMap);
  program.over = facts.linear ? setOf(facts.over) : GpuLinearSet::none;
  program.eps = facts.eps;
  program.weight = facts.weight;
  program.bias = facts.bias;
  if (facts.score || facts.mask)
    return Status::make(Code::unsupportedTarget, "@{} has a {}, for which there is no CUDA kernel; cpu runs it",
                        program.name, facts.score ? "score region" : "mask");
  if (program.means && program.linear)
    return Status::make(Code::unsupportedTarget,
                        "@{} has block means beside a linear branch, for which there is no "
                        "CUDA kernel; cpu runs it",
                        program.name);
  return program;
}

} // namespace tercet::compiler
