// Which specs have GPU kernels, and with which sizes.
#include "tercet/compiler/cuda/GpuProgram.h"

#include "Program.h"
#include "TableGradient.h"

#include <cmath>

namespace tercet::compiler {

namespace {

GpuLinearSet setOf(LinearOver over) {
  switch (over) {
  case LinearOver::marginal:
    return GpuLinearSet::marginal;
  case LinearOver::nonCritical:
    return GpuLinearSet::nonCritical;
  case LinearOver::negligible:
    return GpuLinearSet::negligible;
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
  program.direction = problem.direction;
  if (program.direction != Direction::inference) { // what saves for a backward has one
    TERCET_TRY(std::vector<GradientPass> passes, deriveGradient(facts, program.name));
    TERCET_RETURN_IF_ERROR(deriveTableGradients(passes));
    program.gradient = withTablesApart(std::move(passes), /*centres=*/!program.isWide());
    if (program.inBranches())
      llvm::copy(branchesOf(facts), facts.attends.begin()); // where they are, for the passes
  }
  program.attends = std::move(facts.attends); // where they lie stays, for the passes
  program.choice = facts.choice;
  program.scale = facts.scale;
  program.blockQ = facts.blockQ;
  program.blockK = facts.blockK;
  program.order = facts.order;
  if (facts.classified() && program.direction != Direction::backward)
    program.selection = *facts.selection;
  else if (facts.classified()) // its classes are handed in, without what says which blocks the mask cuts
    program.selection.mask = facts.selection->mask;
  program.linear = facts.linear;
  program.featureMap = static_cast<GpuFeatureMap>(facts.featureMap);
  program.over = facts.linear ? setOf(facts.over) : GpuLinearSet::none;
  if (facts.linear && facts.over == LinearOver::all && program.selection.mask)
    program.over = GpuLinearSet::full; // partial blocks are in no linear set
  program.eps = facts.eps;
  program.weight = facts.weight;
  program.bias = facts.bias;
  program.ranged = rangedTablesOf(program.selection.maskRegion(), program.attends);
  return program;
}

} // namespace tercet::compiler
