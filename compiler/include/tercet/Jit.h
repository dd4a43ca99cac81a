// The JIT facade: a Compiler for Session, and the compiler's other exits (IR at any stage, CUDA, PTX, cubin).
#pragma once

#include "tercet/Session.h"

#include <memory>
#include <string>
#include <vector>

namespace tercet {

/// The compiler of this build, for Session::create. Thread-safe.
std::shared_ptr<Compiler> makeCompiler();

/// What a compiled kernel costs its processor, as its code generator reports it.
struct KernelResources {
  std::string kernel;
  int64_t registers = 0, spillBytes = 0, stackBytes = 0, sharedBytes = 0, codeBytes = 0;
  double compileMs = 0;           ///< in its code generator; 0 where kernels are compiled together
  std::vector<std::string> notes; ///< ptxas notes such as "C7512: ..."
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
