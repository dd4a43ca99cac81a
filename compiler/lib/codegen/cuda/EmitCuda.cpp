// A spec as text or as a cubin: stages of the way to the GPU, for people and for tools.
#include "tercet/compiler/cuda/EmitCuda.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

// Kernels one after the other, as they would be compiled first.
Result<EmitResult> emitText(ir::SpecOp spec, const Problem &problem, bool asCuda) {
  TERCET_TRY(CudaTarget target, parseCudaTarget(problem.target));
  TERCET_TRY(GpuProgram program, readGpuProgram(spec, problem));
  EmitResult result;
  std::vector<GpuStage> stages = gpuStages(*spec.getContext(), program, target, result.remarks);
  TERCET_RETURN_IF_ERROR(preferForms(stages, problem, result.remarks));
  for (const GpuStage &stage : stages) {
    if (stage.forms.empty())
      return Status::make(Code::unsupportedTarget, "kernel {} has no schedule for {}", stage.kernel, target.name);
    OwningOpRef<ModuleOp> module = stage.forms.front().lower();
    if (!asCuda) {
      result.bytes += printNamed(*module);
      continue;
    }
    TERCET_TRY(CudaSource source, printCuda(*module->getOps<tkern::KernelOp>().begin(),
                                            titleOf(program, target, stage, stage.forms.front())));
    result.bytes += (result.bytes.empty() ? "" : "\n") + source.text;
  }
  return result;
}

} // namespace

Result<EmitResult> emitCuda(ir::SpecOp spec, const Problem &problem, const std::string &stage,
                            const EmitCudaOptions &options) {
  spec.getContext()->loadDialect<tkern::TkernDialect>();
  if (stage == "tkern" || stage == "cuda")
    return emitText(spec, problem, stage == "cuda");
  if (stage != "ptx" && stage != "cubin")
    return Status::make(Code::invalidArgument, "'{}' is not a stage of CUDA targets, which are tkern, cuda, ptx, cubin",
                        stage);
  TERCET_TRY(std::unique_ptr<CompiledProgram> compiled, compileCuda(spec, problem, options));
  EmitResult result;
  result.isText = stage == "ptx";
  result.remarks = std::move(compiled->remarks);
  if (!result.isText && compiled->stages.size() > 1)
    return Status::make(Code::invalidArgument,
                        "'{}' has {} kernels and a cubin holds one; an artifact holds all, ptx and cuda show all",
                        compiled->program.name, compiled->stages.size());
  for (CompiledStage &kernel : compiled->compiled) {
    result.bytes += result.isText ? kernel.output.ptx : kernel.output.cubin;
    result.compileMs += kernel.output.compileMs;
    result.kernels.push_back(std::move(kernel.resources));
  }
  return result;
}

} // namespace tercet::compiler
