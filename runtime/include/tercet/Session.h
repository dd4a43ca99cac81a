// Session and Kernel: compile (or load) a spec once, launch it many times.
#pragma once

#include "tercet/Artifact.h"
#include "tercet/ParallelFor.h"
#include "tercet/Status.h"
#include "tercet/Tensor.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tercet {

/// A spec: MLIR text with one or more tercet.spec ops, and settings of its parameters (text, as after --set).
struct Spec {
  std::string text;
  std::string origin = "<spec>"; ///< file name for messages
  std::map<std::string, std::string> settings;
};

/// What binds at compile time besides static parameters. Batch, heads, lengths, strides stay run-time arguments.
struct Problem {
  int64_t headDim = 0, valueDim = 0;
  DType dtype = DType::f32;
  std::string target = "cpu"; ///< "cpu", "cpu:v4", "cpu:v3", "cpu:portable", "sm_90a", ...
};

/// Tensors by argument name, inputs and outputs; runtime parameters by name (others keep the spec's defaults).
struct Arguments {
  std::vector<std::pair<std::string, Tensor>> tensors;
  std::vector<std::pair<std::string, double>> parameters;
  const Tensor *find(std::string_view name) const;
};

struct SessionOptions {
  int threads = 0;         ///< 0: TERCET_THREADS, else all cores
  ParallelFor parallelFor; ///< empty: the session's own pool; else `worker` must lie in [0, threads)
  bool useCache = true;
  std::string cacheDirectory; ///< empty: TERCET_CACHE_DIR, else the user's cache directory
};

/// Wall time per stage of one launch, in the plan's order, and what the data decided.
struct LaunchReport {
  std::vector<std::pair<std::string, double>> stageMs;
  double totalMs = 0;
  int64_t criticalBlocks = 0, marginalBlocks = 0, negligibleBlocks = 0; ///< 0 without classification
  std::map<std::string, double> stageFlops;                             ///< executed, from plan and counts
};

/// A compiled program bound to a device. Immutable: one kernel may be launched from many threads at once, each with its
/// own workspace.
class Kernel {
public:
  virtual ~Kernel() = default;
  virtual const Artifact &artifact() const = 0;
  /// Bytes of workspace that `launch` needs for these shapes (data pointers are not read). invalidArgument as launch.
  virtual Result<size_t> workspaceBytes(const Arguments &arguments) const = 0;
  /// Runs; returns when outputs are written. workspace: at least workspaceBytes, 64-byte aligned, not shared between
  /// concurrent launches. Never allocates device memory. Errors: invalidArgument names the tensor, what was given and
  /// what is legal; nothing is written then. report may be null.
  virtual Status launch(const Arguments &arguments, void *workspace, size_t workspaceBytes,
                        LaunchReport *report = nullptr) const = 0;
};

/// How the artifact for a kernel came to be.
struct CompileReport {
  double compileMs = 0;
  std::string cache = "miss"; ///< "hit", "miss", "off"
};

/// The compiler as the runtime sees it; implemented by the JIT facade (tercet/Jit.h), absent in runtime-only programs.
class Compiler {
public:
  virtual ~Compiler() = default;
  /// Everything that decides the artifact, as length-prefixable fields for the cache key; invalidSpec on a bad spec.
  virtual Result<std::vector<std::string>> keyFields(const Spec &spec, const Problem &problem) = 0;
  virtual Result<Artifact> compile(const Spec &spec, const Problem &problem) = 0;
};

/// Owns a thread pool, a cache handle and, if given, a compiler. Thread-safe.
class Session {
public:
  static Result<std::unique_ptr<Session>> create(SessionOptions options = {}, std::shared_ptr<Compiler> compiler = {});
  virtual ~Session() = default;
  /// Compiles, or takes the artifact from the memory or disk cache (single-flight per key).
  virtual Result<std::shared_ptr<Kernel>> compile(const Spec &spec, const Problem &problem,
                                                  CompileReport *report = nullptr) = 0;
  /// Binds an artifact to this machine: picks the best module it can run. unsupportedTarget if there is none.
  virtual Result<std::shared_ptr<Kernel>> load(Artifact artifact, const std::string &target = "cpu") = 0;
  virtual int threads() const = 0;
  /// Number of compilations this session has run (not cache hits).
  virtual int64_t compileCount() const = 0;
};

} // namespace tercet
