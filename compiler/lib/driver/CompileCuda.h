// The CUDA pipeline: bound spec -> program -> stages of tkern kernels -> CUDA C++ -> NVRTC -> artifact with its plan.
#pragma once

#include "tercet/Jit.h"
#include "tercet/compiler/Frontend.h"
#include "tercet/compiler/cuda/EmitCuda.h"

namespace tercet::compiler {

/// The artifact, with one module for problem.target ("sm_80", ..): its plan, and per kernel the resources, notes and
/// milliseconds that NVRTC reported, cubin, PTX and source. resources: for reports, may be null. Errors: those of
/// compileCuda.
Result<Artifact> compileCudaArtifact(const BoundSpec &spec, const Problem &problem, const EmitCudaOptions &options,
                                     std::vector<KernelResources> *resources = nullptr);

/// What identifies a compile for a CUDA target beside spec, problem and this build: architecture, NVRTC, device library.
/// unsupportedTarget without NVRTC.
Result<std::vector<std::string>> cudaKeyFields(const Problem &problem);

} // namespace tercet::compiler
