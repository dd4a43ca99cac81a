// The CPU pipeline: bound spec -> program -> schedule -> plan and tile kernels -> machine code -> artifact.
#pragma once

#include "CpuTarget.h"

#include "tercet/Jit.h"
#include "tercet/compiler/Frontend.h"

namespace tercet::compiler {

/// The code generator for "cpu" (the best this machine runs), "cpu:v4", "cpu:v3" or "cpu:portable"; unsupportedTarget
/// else.
Result<codegen::CpuTarget> parseCpuTarget(const std::string &target);

/// What a compile makes on its way; each stage is filled only if it was reached.
struct CpuCompilation {
  std::string tkernText;
  std::string llvmText;
  std::vector<uint8_t> object;
  std::vector<KernelInfo> kernels; ///< of the object
  Artifact artifact;
};
enum class CpuStage { tkern, llvm, object, artifact };

Result<CpuCompilation> compileCpu(mlir::MLIRContext &context, const BoundSpec &spec, const Problem &problem,
                                  CpuStage until);

/// Whether the simulator executes the PTX for the target's architecture ("sim:sm_80"), and the problem for that architecture.
bool isSimulated(const Problem &problem);
Problem forArchitecture(Problem problem);

/// invalidArgument if no kernel can be made for the problem's sizes or dtype.
Status checkProblem(const Problem &problem);

/// An artifact of the bound spec and problem without modules.
Artifact startArtifact(const BoundSpec &spec, const Problem &problem);

/// Version and build id of this compiler: part of every cache key.
std::string compilerIdentity();

} // namespace tercet::compiler
