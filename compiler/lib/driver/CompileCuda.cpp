// compileCudaArtifact: see the header.
#include "CompileCuda.h"

#include "CompileCpu.h"

#include "tercet/compiler/cuda/DeviceLibrary.h"

namespace tercet::compiler {

namespace {

KernelInfo kernelInfo(CompiledStage &stage, const GpuStage &form) {
  KernelInfo info;
  info.name = stage.source.kernel;
  info.schedule = form.forms[stage.form].schedule;
  GpuKernelInfo &gpu = info.gpu;
  gpu.threads = stage.source.threads;
  gpu.dynamicSharedBytes = stage.source.sharedBytes;
  gpu.staticSharedBytes = stage.resources.sharedBytes.value_or(0) - stage.source.sharedBytes;
  gpu.registers = stage.resources.registers.value_or(0);
  gpu.spillBytes = stage.resources.spillBytes.value_or(0);
  gpu.stackBytes = stage.resources.stackBytes.value_or(0);
  gpu.codeBytes = stage.resources.codeBytes.value_or(0);
  gpu.compileMs = stage.output.compileMs;
  gpu.notes = stage.resources.notes;
  gpu.cubin.assign(stage.output.cubin.begin(), stage.output.cubin.end());
  gpu.ptx = std::move(stage.output.ptx);
  gpu.source = std::move(stage.source.text);
  return info;
}

std::string aggregationOf(const GpuProgram &program) {
  return !program.linear ? "none" : program.globalState() ? "global" : "class-matrix";
}

} // namespace

Result<Artifact> compileCudaArtifact(const BoundSpec &bound, const Problem &problem, const EmitCudaOptions &options,
                                     std::vector<KernelResources> *resources) {
  ir::SpecOp spec = bound.spec;
  TERCET_TRY(std::unique_ptr<CompiledProgram> compiled, compileCuda(spec, problem, options));
  Artifact artifact = startArtifact(bound, problem);
  artifact.aggregation = aggregationOf(compiled->program);
  TargetModule module;
  module.target = problem.target;
  module.plan = buildGpuPlan(spec, compiled->program, compiled->stages, compiled->forms(), compiled->arguments());
  for (size_t i = 0; i < compiled->stages.size(); ++i) {
    if (resources)
      resources->push_back(compiled->compiled[i].resources);
    module.kernels.push_back(kernelInfo(compiled->compiled[i], compiled->stages[i]));
  }
  module.remarks = std::move(compiled->remarks);
  artifact.modules.push_back(std::move(module));
  return artifact;
}

Result<std::vector<std::string>> cudaKeyFields(const Problem &problem) {
  TERCET_TRY(CudaTarget target, parseCudaTarget(problem.target));
  TERCET_TRY(std::shared_ptr<const Nvrtc> nvrtc, Nvrtc::get());
  return std::vector<std::string>{target.name, "nvrtc " + nvrtc->version(), std::string(deviceLibraryDigest())};
}

} // namespace tercet::compiler
