// Which specs have GPU kernels, and with which sizes.
#include "tercet/compiler/cuda/GpuProgram.h"

#include "Program.h"

#include <cmath>

namespace tercet::compiler {

namespace {

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
  const AttendStage &stage = facts.attends.back();
  if (facts.attends.size() > 1 || stage.pools || stage.gate || !facts.choice.empty())
    return Status::make(Code::unsupportedTarget,
                        "@{} has several branches, gates or pools, which CUDA kernels do not compute; cpu runs it",
                        spec.getSymName().str());
  GpuProgram program;
  program.name = spec.getSymName().str();
  program.headDim = facts.headDim;
  program.valueDim = facts.valueDim;
  program.dtype = facts.dtype;
  program.exact = stage.exact;
  program.scale = stage.scale;
  program.score = stage.score;
  if (stage.mask)
    program.mask = cast<ir::MaskOp>(stage.mask->getParentOp());
  program.blockQ = facts.blockQ;
  program.blockK = facts.blockK;
  if (facts.classified())
    program.selection = *facts.selection;
  program.means = facts.means();
  program.linear = facts.linear;
  program.featureMap = static_cast<GpuFeatureMap>(facts.featureMap);
  program.over = facts.linear ? setOf(facts.over) : GpuLinearSet::none;
  if (facts.linear && facts.over == LinearOver::all && program.selection.mask)
    program.over = GpuLinearSet::full; // partial blocks are in no linear set
  program.eps = facts.eps;
  program.weight = facts.weight;
  program.bias = facts.bias;
  if (program.mask)
    llvm::append_range(program.ranged, rangedTablesOf(&program.mask.getBody()));
  if (program.means && program.linear)
    return Status::make(Code::unsupportedTarget,
                        "@{} has block means beside a linear branch, for which there is no "
                        "CUDA kernel; cpu runs it",
                        program.name);
  return program;
}

} // namespace tercet::compiler
