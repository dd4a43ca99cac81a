// emit: a spec at one stage of its way to the target.
#include "CompileCpu.h"
#include "CompileCuda.h"
#include "FunctionFigures.h"

#include <chrono>

using namespace tercet;
using namespace tercet::compiler;

static Result<EmitResult> emitCpu(mlir::MLIRContext &context, const BoundSpec &bound, const Problem &problem,
                                  const std::string &stage) {
  EmitResult result;
  auto until = stage == "tkern"  ? CpuStage::tkern
               : stage == "llvm" ? CpuStage::llvm
               : stage == "obj"  ? CpuStage::object
                                 : CpuStage::artifact;
  TERCET_TRY(CpuCompilation compilation, compileCpu(context, bound, problem, until));
  std::map<std::string, FunctionFigures> figures = functionFigures(compilation.object);
  for (const KernelInfo &kernel : compilation.kernels) {
    const FunctionFigures &own = figures[kernel.name];
    result.kernels.push_back({.kernel = kernel.name,
                              .stackBytes = own.stackBytes,
                              .scratchBytes = kernel.scratchBytes,
                              .codeBytes = own.codeBytes});
  }
  switch (until) {
  case CpuStage::tkern:
    result.bytes = std::move(compilation.tkernText);
    break;
  case CpuStage::llvm:
    result.bytes = std::move(compilation.llvmText);
    break;
  case CpuStage::object:
    result.isText = false;
    result.bytes.assign(compilation.object.begin(), compilation.object.end());
    break;
  case CpuStage::artifact: {
    result.isText = false;
    std::vector<uint8_t> file = compilation.artifact.serialize();
    result.bytes.assign(file.begin(), file.end());
    break;
  }
  }
  return result;
}

Result<EmitResult> tercet::emit(const Spec &spec, const Problem &problem, const std::string &stage) {
  auto start = std::chrono::steady_clock::now();
  auto context = makeContext();
  TERCET_TRY(BoundSpec bound, loadSpec(*context, spec));
  EmitResult result;
  if (stage == "tercet") {
    result.bytes = bound.text() + "\n";
  } else if (isCudaTarget(problem.target) && stage == "artifact") {
    TERCET_TRY(Artifact artifact, compileCudaArtifact(bound, problem, {}, &result.kernels));
    result.remarks = artifact.modules.front().remarks;
    std::vector<uint8_t> file = artifact.serialize();
    result.bytes.assign(file.begin(), file.end());
    result.isText = false;
  } else if (isCudaTarget(problem.target)) {
    TERCET_TRY(result, emitCuda(bound.spec, problem, stage));
  } else if (stage == "tkern" || stage == "llvm" || stage == "obj" || stage == "artifact") {
    TERCET_TRY(result, emitCpu(*context, bound, problem, stage));
  } else {
    return Status::make(
        Code::invalidArgument,
        "stage '{}' does not fit target '{}'; a CPU target has the stages tercet, tkern, llvm, obj, artifact", stage,
        problem.target);
  }
  result.compileMs = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return result;
}
