// VariantCompiler: one program compiled in many schedules, for machines that are elsewhere: what a tuner tries where it has no compiler.
#pragma once

#include "tercet/Jit.h"

#include <memory>
#include <string>

namespace tercet {

struct CompiledVariant {
  Artifact artifact;         ///< without CUDA source; no modules where it is refused
  KernelResources resources; ///< of the kernel that varies; empty for the base
  std::string refusal;       ///< why it must not be used: spills, ptxas notes, NVRTC's own error; empty: it may
};

/// On GPUs NVRTC runs in child processes, which may crash, and kernels that do not vary are compiled once.
class VariantCompiler {
public:
  /// Compiles the base: problem.schedules, and defaults. Errors as Compiler::compile.
  static Result<std::unique_ptr<VariantCompiler>> create(const Spec &spec, const Problem &problem);
  virtual ~VariantCompiler() = default;
  virtual const CompiledVariant &base() const = 0;
  /// The base with one kernel ("cpu": all of a CPU's) in another schedule, a text of scheduleSpaces. Thread-safe. A schedule that does
  /// not compile is a refusal; errors are those that no schedule has a part in.
  virtual Result<CompiledVariant> compile(const std::string &kernel, const std::string &schedule) const = 0;
  /// "13.0"; empty on a CPU.
  virtual std::string nvrtcVersion() const = 0;
};

} // namespace tercet
