// EmitCuda: a bound spec to tkern, CUDA C++, PTX or cubin for one NVIDIA architecture.
#pragma once

#include "tercet/Jit.h"
#include "tercet/compiler/cuda/CudaPrinter.h"
#include "tercet/compiler/cuda/CudaTarget.h"
#include "tercet/compiler/cuda/GpuLowering.h"
#include "tercet/compiler/cuda/Nvrtc.h"

namespace tercet::compiler {

struct EmitCudaOptions {
  bool inChild = false; ///< run NVRTC in a child process, which survives its crashes
};

/// stage: "tkern", "cuda" (text; need no NVRTC), "ptx" (text) or "cubin". The best schedule is taken; where NVRTC's
/// result is refused (spills, stack, serialised products), the next one, with a remark. kernels reports resources for
/// ptx and cubin; its sharedBytes count dynamic memory too. Errors: unsupportedTarget (no kernel for this spec, dtype,
/// dimension or architecture; no NVRTC), invalidArgument (another stage), compileFailed (every schedule refused or
/// rejected). Thread-safe per MLIR context.
Result<EmitResult> emitCuda(ir::SpecOp spec, const Problem &problem, const std::string &stage,
                            const EmitCudaOptions &options = {});

/// One schedule through to CUDA C++, without NVRTC.
Result<CudaSource> denseCuda(mlir::MLIRContext &context, const DenseProgram &program, const CudaTarget &target,
                             tkern::GpuScheduleAttr schedule);

} // namespace tercet::compiler
