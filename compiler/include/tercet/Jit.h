// The JIT facade: a Compiler for Session, and the compiler's other exits (IR at any stage, CUDA, PTX, cubin).
#pragma once

#include "tercet/Session.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tercet {

/// The compiler of this build, for Session::create. Thread-safe.
std::shared_ptr<Compiler> makeCompiler();

/// What a compiled kernel costs its processor. A figure is absent where it does not exist for the target: a CPU has one
/// set of registers for everybody and no shared memory, and what its code spills is part of the stack.
struct KernelResources {
  std::string kernel;
  std::optional<int64_t> registers, spillBytes, sharedBytes; ///< GPU only, as ptxas reports them
  std::optional<int64_t> stackBytes;                         ///< per thread
  std::optional<int64_t> scratchBytes;                       ///< CPU only: memory per worker that the launch provides
  std::optional<int64_t> codeBytes;                          ///< of the function; on a GPU of the whole cubin
  std::optional<double> compileMs;                           ///< GPU only: in its code generator
  std::vector<std::string> notes;                            ///< ptxas notes such as "C7512: ..."
};

struct EmitResult {
  std::string bytes; ///< text or binary, as asked for
  bool isText = true;
  std::vector<KernelResources> kernels;
  double compileMs = 0;
  std::vector<std::string> remarks; ///< decisions worth telling: schedule, fallbacks
};

/// Lowers a spec to one stage: "tercet" | "tkern" | "llvm" | "obj" | "cuda" | "ptx" | "cubin" | "artifact".
/// invalidSpec, invalidArgument (stage does not fit the target), unsupportedTarget, compileFailed.
Result<EmitResult> emit(const Spec &spec, const Problem &problem, const std::string &stage);

} // namespace tercet
