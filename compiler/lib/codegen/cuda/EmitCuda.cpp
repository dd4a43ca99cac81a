// The arrow of the CUDA target: spec, schedule, tkern, CUDA C++, NVRTC; the first schedule that compiles well is taken.
#include "tercet/compiler/cuda/EmitCuda.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace tercet::compiler {

namespace {

std::string textOf(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  attribute.print(stream);
  return text;
}

Result<NvrtcOutput> compile(const CudaSource &source, const CudaTarget &target, const EmitCudaOptions &options) {
  if (options.inChild)
    return compileInChild(source.kernel, source.text, target.name);
  TERCET_TRY(std::shared_ptr<const Nvrtc> nvrtc, Nvrtc::get());
  return nvrtc->compile(source.kernel, source.text, target.name);
}

} // namespace

Result<CudaSource> denseCuda(MLIRContext &context, const DenseProgram &program, const CudaTarget &target,
                             tkern::GpuScheduleAttr schedule) {
  OwningOpRef<ModuleOp> module = lowerDense(context, program, schedule);
  auto kernel = *module->getOps<tkern::KernelOp>().begin();
  std::string title = fmt::format("Dense attention for {}: {}, head dimensions {} and {}.\n{}", target.name,
                                  dtypeName(program.dtype), program.headDim, program.valueDim, textOf(schedule));
  return printCuda(kernel, title);
}

Result<EmitResult> emitCuda(ir::SpecOp spec, const Problem &problem, const std::string &stage,
                            const EmitCudaOptions &options) {
  if (stage != "tkern" && stage != "cuda" && stage != "ptx" && stage != "cubin")
    return Status::make(Code::invalidArgument, "'{}' is not a stage of CUDA targets, which are tkern, cuda, ptx, cubin",
                        stage);
  TERCET_TRY(CudaTarget target, parseCudaTarget(problem.target));
  TERCET_TRY(DenseProgram program, readDenseSpec(spec, problem.headDim, problem.valueDim, problem.dtype));
  MLIRContext &context = *spec.getContext();
  context.loadDialect<tkern::TkernDialect>();
  EmitResult result;
  std::vector<RankedSchedule> schedules = attendSchedules(context, program, target, result.remarks);
  if (schedules.empty())
    return Status::make(Code::unsupportedTarget, "no schedule of head dimensions {} and {} fits into {}",
                        program.headDim, program.valueDim, target.name);
  std::string refusals;
  for (const RankedSchedule &ranked : schedules) {
    if (stage == "tkern") {
      result.bytes = printNamed(*lowerDense(context, program, ranked.schedule));
      return result;
    }
    TERCET_TRY(CudaSource source, denseCuda(context, program, target, ranked.schedule));
    if (stage == "cuda") {
      result.bytes = std::move(source.text);
      return result;
    }
    Result<NvrtcOutput> output = compile(source, target, options);
    if (!output.ok() && output.status().code() != Code::compileFailed)
      return output.takeStatus();
    std::string refusal = output.ok() ? "" : output.status().message();
    if (output.ok()) {
      result.compileMs += output->compileMs;
      KernelResources resources = parseNvrtcLog(output->log, source.kernel);
      resources.sharedBytes += source.sharedBytes;
      resources.codeBytes = static_cast<int64_t>(output->cubin.size());
      refusal = refusalOf(resources);
      if (refusal.empty()) {
        result.isText = stage == "ptx";
        result.bytes = std::move(result.isText ? output->ptx : output->cubin);
        result.kernels.push_back(std::move(resources));
        result.remarks.push_back("schedule " + textOf(ranked.schedule));
        return result;
      }
    }
    result.remarks.push_back(fmt::format("schedule {} is passed over: {}", textOf(ranked.schedule), refusal));
    refusals += result.remarks.back() + "\n";
  }
  return Status::make(Code::compileFailed, "no schedule of head dimensions {} and {} compiles for {} without spills",
                      program.headDim, program.valueDim, target.name)
      .note("schedules", refusals);
}

} // namespace tercet::compiler
