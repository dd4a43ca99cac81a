// Session and Kernel: compile (or load) a spec once, launch it many times. On the CPU tensors and workspace are host
// memory; on a GPU they are memory of that device, which the caller owns (tercet/rt/GpuDevice.h has allocation and copies
// for callers without a framework). Nothing is ever copied between the two inside a launch.
#pragma once

#include "tercet/Artifact.h"
#include "tercet/ParallelFor.h"
#include "tercet/Status.h"
#include "tercet/Tensor.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tercet {

namespace rt {
class GpuDevice;
}

/// A spec: MLIR text with one or more tercet.spec ops, and settings of its parameters (text, as after --set).
struct Spec {
  std::string text;
  std::string origin = "<spec>"; ///< file name for messages
  std::map<std::string, std::string> settings;
};

/// What a kernel computes. A host that trains compiles two kernels of a spec, for `forward` and for `backward`
/// (docs/gradients.md#kernels); their arguments are in Artifact::signature.
enum class Direction {
  inference, ///< o
  forward,   ///< o, and what the backward needs of it
  backward,  ///< dq, dk, dv
};

/// A call that a kernel is compiled for: a hint by which schedules that were tuned for such calls are found. It limits
/// nothing: the kernel takes every call.
struct ExpectedCall {
  int64_t batch = 1, heads = 1, headsKV = 1, queries = 0, keys = 0;
  std::optional<double> kept; ///< fraction of the blocks that are computed exactly; absent: not known
};

/// Where the schedules of a kernel come from.
struct ScheduleSource {
  std::string kind = "default";   ///< "default", "explicit", "database"
  std::string file, origin, date; ///< of the database's row; origin: "user", "system", "shipped"
  double distance = 0;            ///< of the row's problem class from that of the call
};

/// What binds at compile time besides static parameters. Batch, heads, lengths, strides stay run-time arguments.
struct Problem {
  int64_t headDim = 0, valueDim = 0;
  DType dtype = DType::f32;
  /// "cpu", "cpu:v4", "cpu:v3", "cpu:portable"; "cuda", "cuda:1": a GPU of this machine; "sim:sm_80": a device that
  /// SessionOptions::openDevice opens; for a Compiler alone also an architecture such as "sm_90a".
  std::string target = "cpu";
  Direction direction = Direction::inference;
  /// Schedules as text, by name of the kernel, "cpu" for all kernels of a CPU (docs/autotuning.md#search-space). Empty:
  /// those that the tuning database has for `expected`, else the default ones.
  std::vector<std::pair<std::string, std::string>> schedules = {};
  std::optional<ExpectedCall> expected = {};
  bool deterministic = false;         ///< takes the default schedules, whatever a tuning database has
  std::string device = {};            ///< name of the processor, as tuning databases have it; a Session fills it in
  ScheduleSource scheduleSource = {}; ///< of `schedules`; Compiler::key fills it in
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
  /// Opens devices that are neither the CPU nor a CUDA GPU, by target ("sim:sm_80"). Empty: there are none.
  std::function<Result<std::shared_ptr<rt::GpuDevice>>(const std::string &target)> openDevice;
};

/// Time per stage of one launch, in the plan's order, and what the data decided. On a GPU times are those between events
/// on the stream, and what stays on the device is not told: no block counts, and no operations (rt::estimatePlan gives
/// them from counts).
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
  /// The module of the artifact that runs, with its plan.
  virtual const TargetModule &module() const = 0;
  /// Bytes of workspace that `launch` needs for these shapes (data pointers are not read). invalidArgument as launch.
  virtual Result<size_t> workspaceBytes(const Arguments &arguments) const = 0;
  /// Runs; returns when outputs are written. workspace: at least workspaceBytes, 64-byte aligned (128 on a GPU), not
  /// shared between concurrent launches. Never allocates device memory. On a GPU: on its default stream. Errors:
  /// invalidArgument names the tensor, what was given and what is legal; nothing is written then; launchFailed when the
  /// device failed. report may be null.
  virtual Status launch(const Arguments &arguments, void *workspace, size_t workspaceBytes,
                        LaunchReport *report = nullptr) const = 0;
  /// Queues a launch on `stream` (a CUstream, or a stream of the device that runs it; null: its default stream) and
  /// returns: no wait, no lock, no device allocation, so it may be captured into a graph. A captured launch keeps the
  /// addresses, shapes and runtime parameters that it was captured with. Lengths and classes are not read on the host,
  /// and so not checked; kernels treat lengths beyond the tokens as the tokens. Tensors and workspace are in use until
  /// the stream has passed the launch. On the CPU, where stream is ignored: launch.
  virtual Status enqueue(const Arguments &arguments, void *workspace, size_t workspaceBytes, void *stream) const = 0;
};

/// How the artifact for a kernel came to be.
struct CompileReport {
  double compileMs = 0;
  std::string cache = "miss"; ///< "hit", "miss", "off"
  ScheduleSource schedules;
};

/// Everything that decides an artifact.
struct CompileKey {
  std::vector<std::string> fields; ///< length-prefixable
  Problem problem;                 ///< as `compile` takes it: with the schedules that were found for it
};

/// The compiler as the runtime sees it; implemented by the JIT facade (tercet/Jit.h), absent in runtime-only programs.
class Compiler {
public:
  virtual ~Compiler() = default;
  /// The key of an artifact, for caches; what tuning databases have to say is asked here, once. invalidSpec on a bad spec.
  virtual Result<CompileKey> key(const Spec &spec, const Problem &problem) = 0;
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
  /// Binds an artifact to this machine: picks the best module that the target can run. unsupportedTarget if there is
  /// none.
  virtual Result<std::shared_ptr<Kernel>> load(Artifact artifact, const std::string &target = "cpu") = 0;
  /// The device behind a GPU target, opened at the first call and kept: for allocating, copying and streams.
  /// invalidArgument for CPU targets, deviceUnavailable with the reason where there is none.
  virtual Result<std::shared_ptr<rt::GpuDevice>> device(const std::string &target) = 0;
  virtual int threads() const = 0;
  /// Number of compilations this session has run (not cache hits).
  virtual int64_t compileCount() const = 0;
};

} // namespace tercet
