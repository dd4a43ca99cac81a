// EmitCuda: a bound spec to the kernels of one NVIDIA architecture: tkern, CUDA C++, PTX, cubin.
#pragma once

#include "tercet/Jit.h"
#include "tercet/compiler/cuda/CudaPrinter.h"
#include "tercet/compiler/cuda/CudaTarget.h"
#include "tercet/compiler/cuda/GpuLowering.h"
#include "tercet/compiler/cuda/Nvrtc.h"

#include <functional>
#include <memory>

namespace tercet::compiler {

struct EmitCudaOptions {
  bool inChild = false; ///< run NVRTC in a child process, which survives its crashes
  int threads = 2;      ///< kernels compiled at a time
  /// PTX without a cubin, for the simulator: nothing is refused, since ptxas reports nothing. Not in a child.
  bool ptxOnly = false;
  /// Stands in for NVRTC where it is given; called from several threads.
  std::function<Result<NvrtcOutput>(const CudaSource &source, const std::string &architecture)> compile = {};
};

/// A stage as it was compiled: the first of its forms that NVRTC's result was accepted for.
struct CompiledStage {
  size_t form = 0;
  CudaSource source;
  NvrtcOutput output;
  KernelResources resources; ///< sharedBytes counts dynamic memory too
};

/// A program with its stages, one of `compiled` per stage.
struct CompiledProgram {
  GpuProgram program;
  std::vector<GpuStage> stages;
  std::vector<CompiledStage> compiled;
  std::vector<std::string> remarks; ///< schedules taken and passed over, and why

  std::vector<size_t> forms() const;
  std::vector<std::vector<GpuArgument>> arguments() const;
};

/// Every stage of a bound spec through NVRTC. A form whose result is refused (spills, stack, serialised products) is
/// passed over for the next one, with a remark. Errors: unsupportedTarget (no kernel for this spec, dtype, dimension or
/// architecture; no NVRTC), compileFailed (every form of a stage refused or rejected). Thread-safe per MLIR context.
Result<std::unique_ptr<CompiledProgram>> compileCuda(ir::SpecOp spec, const Problem &problem,
                                                     const EmitCudaOptions &options = {});

/// The comment at the head of a printed kernel.
std::string titleOf(const GpuProgram &program, const CudaTarget &target, const GpuStage &stage, const GpuForm &form);

/// stage: "tkern", "cuda" (text of the best form of every kernel; need no NVRTC), "ptx" (text) or "cubin" (of a program
/// that is one kernel). kernels reports resources for ptx and cubin. Errors: those of compileCuda; invalidArgument
/// (another stage, or a cubin of several kernels).
Result<EmitResult> emitCuda(ir::SpecOp spec, const Problem &problem, const std::string &stage,
                            const EmitCudaOptions &options = {});

} // namespace tercet::compiler
