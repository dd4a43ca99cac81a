// Stages to cubins. Kernels compile side by side: a thread takes the next stage, lowers and prints a form under a lock
// (an MLIR context is for one thread), and lets NVRTC work outside it; a refused form is followed by the stage's next.
#include "tercet/compiler/cuda/EmitCuda.h"

#include <atomic>
#include <mutex>
#include <thread>

using namespace mlir;

namespace tercet::compiler {

std::string titleOf(const GpuProgram &program, const CudaTarget &target, const GpuStage &stage, const GpuForm &form) {
  return fmt::format("{} of @{} for {}: {}, head dimensions {} and {}.\n{}", stage.kernel, program.name, target.name,
                     dtypeName(program.dtype), program.headDim, program.valueDim, form.schedule);
}

std::vector<size_t> CompiledProgram::forms() const {
  std::vector<size_t> result;
  for (const CompiledStage &stage : compiled)
    result.push_back(stage.form);
  return result;
}

std::vector<std::vector<GpuArgument>> CompiledProgram::arguments() const {
  std::vector<std::vector<GpuArgument>> result;
  for (const CompiledStage &stage : compiled)
    result.push_back(stage.source.arguments);
  return result;
}

namespace {

class StageCompiler {
public:
  StageCompiler(CompiledProgram &program, const CudaTarget &target, const EmitCudaOptions &options)
      : program(program), target(target), options(options), statuses(program.stages.size()),
        remarks(program.stages.size()) {
    program.compiled.resize(program.stages.size());
  }

  Status run() {
    auto work = [this] {
      // From the last on: attend takes longest, and would leave the other threads idle at the end.
      for (size_t done; (done = next++) < program.stages.size();) {
        size_t index = program.stages.size() - 1 - done;
        statuses[index] = compileStage(index);
      }
    };
    std::vector<std::thread> others;
    for (int i = 1; i < std::min<int>(options.threads, static_cast<int>(program.stages.size())); ++i)
      others.emplace_back(work);
    work();
    for (std::thread &thread : others)
      thread.join();
    for (size_t index = 0; index < statuses.size(); ++index) {
      if (!statuses[index].ok())
        return std::move(statuses[index]);
      program.remarks.insert(program.remarks.end(), remarks[index].begin(), remarks[index].end());
    }
    return {};
  }

private:
  Result<CudaSource> print(const GpuStage &stage, const GpuForm &form) {
    std::lock_guard<std::mutex> guard(contextLock);
    OwningOpRef<ModuleOp> module = form.lower();
    return printCuda(*module->getOps<tkern::KernelOp>().begin(), titleOf(program.program, target, stage, form));
  }

  Result<NvrtcOutput> compile(const CudaSource &source) {
    if (options.compile)
      return options.compile(source, target.name);
    if (options.inChild)
      return compileInChild(source.kernel, source.text, target.name);
    TERCET_TRY(std::shared_ptr<const Nvrtc> nvrtc, Nvrtc::get());
    return nvrtc->compile(source.kernel, source.text, target.name, options.ptxOnly);
  }

  Status compileStage(size_t index) {
    const GpuStage &stage = program.stages[index];
    CompiledStage &result = program.compiled[index];
    std::string refusals;
    if (stage.forms.empty())
      return Status::make(Code::unsupportedTarget,
                          "kernel {} has no schedule for head dimensions {} and {} in the shared memory of {}",
                          stage.kernel, program.program.headDim, program.program.valueDim, target.name);
    for (result.form = 0; result.form < stage.forms.size(); ++result.form) {
      const GpuForm &form = stage.forms[result.form];
      TERCET_TRY(result.source, print(stage, form));
      Result<NvrtcOutput> output = compile(result.source);
      if (!output.ok() && output.status().code() != Code::compileFailed)
        return output.takeStatus();
      std::string refusal = output.ok() ? "" : output.status().message();
      if (output.ok()) {
        result.output = std::move(*output);
        result.resources = parseNvrtcLog(result.output.log, result.source.kernel);
        result.resources.sharedBytes = result.resources.sharedBytes.value_or(0) + result.source.sharedBytes;
        result.resources.codeBytes = static_cast<int64_t>(result.output.cubin.size());
        result.resources.compileMs = result.output.compileMs;
        refusal = refusalOf(result.resources);
        if (refusal.empty()) {
          remarks[index].push_back(fmt::format("{}: schedule {}", stage.kernel, form.schedule));
          return {};
        }
      } else if (stage.forms.size() == 1) {
        return output.takeStatus();
      }
      remarks[index].push_back(fmt::format("{}: schedule {} is passed over: {}", stage.kernel, form.schedule, refusal));
      refusals += remarks[index].back() + "\n";
    }
    return Status::make(Code::compileFailed,
                        "no schedule of kernel {} for head dimensions {} and {} compiles for {} "
                        "without spills",
                        stage.kernel, program.program.headDim, program.program.valueDim, target.name)
        .note("schedules", refusals);
  }

  CompiledProgram &program;
  const CudaTarget &target;
  const EmitCudaOptions &options;
  std::vector<Status> statuses;
  std::vector<std::vector<std::string>> remarks;
  std::mutex contextLock;
  std::atomic<size_t> next = 0;
};

} // namespace

Result<std::unique_ptr<CompiledProgram>> compileCuda(ir::SpecOp spec, const Problem &problem,
                                                     const EmitCudaOptions &options) {
  spec.getContext()->loadDialect<tkern::TkernDialect>();
  TERCET_TRY(CudaTarget target, parseCudaTarget(problem.target));
  auto result = std::make_unique<CompiledProgram>();
  TERCET_TRY(result->program, readGpuProgram(spec, problem));
  result->stages = gpuStages(*spec.getContext(), result->program, target, result->remarks);
  TERCET_RETURN_IF_ERROR(preferForms(result->stages, problem, result->remarks));
  TERCET_RETURN_IF_ERROR(StageCompiler(*result, target, options).run());
  return result;
}

} // namespace tercet::compiler
